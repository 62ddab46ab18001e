import type { DeadLetter, LedgerRow } from "../journal/journal.ts";
import type { Batch } from "../model/batch.ts";
import type { ActiveSink } from "./active-sink.ts";
import { countArrived } from "./arrived.ts";
import { deadRow, logDead } from "./dead.ts";
import { render } from "./render.ts";
import { type DeliveryWorld, type SettleOptions, settle } from "./settle.ts";

/** What became of a batch; `stopped` when the signal fired before its end, and then nothing may be committed. */
export interface Delivered {
  readonly stopped: boolean;
  /** The requests of it that have arrived, those of earlier attempts too. */
  readonly arrived: readonly unknown[];
  readonly ledger: readonly LedgerRow[];
  readonly deadLetters: readonly DeadLetter[];
}

/**
 * Delivers one batch in order. What the receiver will not take as a whole is halved until the offending sample stands
 * alone and becomes a dead letter with the receiver's words; everything else arrives. What has `arrived` in an attempt
 * that was stopped is not sent again.
 */
export async function deliverBatch(
  sink: ActiveSink,
  batch: Batch,
  world: DeliveryWorld,
  { arrived: before = [], ...options }: SettleOptions & { readonly arrived?: readonly unknown[] } = {},
): Promise<Delivered> {
  const deadLetters: DeadLetter[] = [];
  const all = [...before];
  const arrived = countArrived();
  arrived.add(before);
  let notRendered = 0;

  function bury(part: Batch, reason: string): void {
    if (part.samples.length > 0) deadLetters.push({ sink: sink.id, time: world.ctx.now(), reason, batch: part });
    else world.log.error("The end of runs was refused for good", { sink: sink.id, runs: part.ended.length, reason });
  }

  /** Returns false when stopped. */
  async function deliver(part: Batch): Promise<boolean> {
    const requests = render(sink, part);
    if (typeof requests === "string") return halve(part, requests);
    if (requests.length === 0) notRendered += part.samples.length;
    const sent: unknown[] = [];
    for (const request of requests) {
      if (!arrived.take(request)) {
        const settled = await settle(sink, request, world, { ...options, samples: part.samples.length });
        if (settled.kind === "stopped") return false;
        if (settled.kind !== "delivered") {
          arrived.add(sent);
          // One request of several: halves find the samples it was made of. A single one is rejected as a whole.
          if (settled.kind === "split" || requests.length > 1) return halve(part, settled.reason);
          bury(part, settled.reason);
          return true;
        }
        all.push(request);
      }
      sent.push(request);
    }
    return true;
  }

  async function halve(part: Batch, reason: string): Promise<boolean> {
    const { samples } = part;
    if (samples.length <= 1) {
      bury({ ...part, ended: samples.length === 0 ? part.ended : [] }, reason);
      // The runs whose end came with the sample have done nothing wrong.
      return samples.length === 0 || part.ended.length === 0 || deliver({ ...part, samples: [] });
    }
    const middle = Math.ceil(samples.length / 2);
    return (
      (await deliver({ ...part, samples: samples.slice(0, middle), ended: [] })) &&
      (await deliver({ ...part, samples: samples.slice(middle) }))
    );
  }

  const done = await deliver(batch);
  if (done) logDead(sink, deadLetters, world);
  const dead = deadLetters.map(deadRow);
  const row = { scope: "sink", id: sink.id } as const;
  const left = dead.reduce((rest, { count }) => rest - count, batch.samples.length - notRendered);
  const ledger: LedgerRow[] = [
    { ...row, name: "delivered", reason: "", count: left },
    { ...row, name: "refused", reason: "not_rendered", count: notRendered },
    ...dead,
  ];
  return { stopped: !done, arrived: all, ledger: ledger.filter(({ count }) => count > 0), deadLetters };
}
