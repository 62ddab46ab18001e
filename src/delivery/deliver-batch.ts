import { Buffer } from "node:buffer";
import type { DeadLetter, LedgerRow } from "../journal/journal.ts";
import type { Batch } from "../model/batch.ts";
import type { ActiveSink } from "./active-sink.ts";
import { type DeliveryWorld, settle } from "./settle.ts";

/** What became of a batch; `stopped` when the signal fired before its end, and then nothing may be committed. */
export interface Delivered {
  readonly stopped: boolean;
  readonly ledger: readonly LedgerRow[];
  readonly deadLetters: readonly DeadLetter[];
}

/**
 * Delivers one batch in order. What the receiver will not take as a whole is halved until the offending sample stands
 * alone and becomes a dead letter with the receiver's words; everything else arrives.
 */
export async function deliverBatch(sink: ActiveSink, batch: Batch, world: DeliveryWorld): Promise<Delivered> {
  const deadLetters: DeadLetter[] = [];
  // Requests of this batch that have arrived: halves may render them once more, byte for byte.
  const arrived = new Set<string>();
  let dead = 0;

  function bury(part: Batch, reason: string): void {
    dead += part.samples.length;
    deadLetters.push({ sink: sink.id, time: world.ctx.now(), reason, batch: part });
    world.log.error("Samples were refused for good and are dead letters now", {
      sink: sink.id,
      samples: part.samples.length,
      example: part.samples[0]?.name,
      reason,
    });
  }

  /** Returns false when stopped. */
  async function deliver(part: Batch): Promise<boolean> {
    const requests = rendered(sink, part, world);
    if (requests === undefined) return halve(part, "the sink failed to render it");
    for (const request of requests) {
      const bytes = requests.length > 1 || arrived.size > 0 ? fingerprint(request) : undefined;
      if (bytes !== undefined && arrived.has(bytes)) continue;
      const settled = await settle(sink, request, world);
      if (settled.kind === "stopped") return false;
      if (settled.kind === "delivered") {
        if (bytes !== undefined) arrived.add(bytes);
        continue;
      }
      // One request of several: halves find the samples it was made of. A single one that is rejected is so as a whole.
      if (settled.kind === "rejected" && requests.length === 1) bury(part, settled.reason);
      else return halve(part, settled.reason);
    }
    return true;
  }

  async function halve(part: Batch, reason: string): Promise<boolean> {
    const { samples } = part;
    if (samples.length <= 1) {
      bury(part, reason);
      return true;
    }
    const middle = Math.ceil(samples.length / 2);
    return (
      (await deliver({ ...part, samples: samples.slice(0, middle), ended: [] })) &&
      (await deliver({ ...part, samples: samples.slice(middle) }))
    );
  }

  const done = await deliver(batch);
  const row = { scope: "sink", id: sink.id } as const;
  const delivered: LedgerRow = { ...row, name: "delivered", reason: "", count: batch.samples.length - dead };
  const ledger = [delivered, ...deadLetters.map((letter): LedgerRow => deadRow(letter, sink.id))];
  return { stopped: !done, ledger: ledger.filter(({ count }) => count > 0), deadLetters };
}

function rendered(sink: ActiveSink, batch: Batch, { log }: DeliveryWorld): readonly unknown[] | undefined {
  try {
    return sink.render(batch);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error("Sink has a bug: render threw", { sink: sink.id, reason });
    return undefined;
  }
}

function deadRow({ reason, batch }: DeadLetter, id: string): LedgerRow {
  return { scope: "sink", id, name: "dead", reason: deadReason(reason), count: batch.samples.length };
}

/** The closed list of reasons that metrics carry; the words stand in the dead letter. */
function deadReason(reason: string): string {
  const status = /^(\d{3})\b/.exec(reason)?.[1];
  if (status) return `http_${status}`;
  return reason.startsWith("the sink failed") ? "plugin_error" : "rejected";
}

function fingerprint(request: unknown): string {
  return JSON.stringify(request, (_key, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
}
