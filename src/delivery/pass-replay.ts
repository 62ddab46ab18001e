import type { DeadLetter } from "../journal/journal.ts";
import { commitStep } from "./commit.ts";
import { deadRow } from "./dead.ts";
import type { Passing } from "./pass.ts";
import type { Replay } from "./replay.ts";

/**
 * Counts the dead letters of groups that were delivered once more, with newer values: delivered, or dead letters again
 * where the group was refused again. Called after the round.
 */
export async function passReplay({ slice, replayed }: Replay, { sink, journal, world, refused }: Passing) {
  const deadLetters: DeadLetter[] = [];
  for (const batch of slice.batches) {
    const reason = refused.get(batch.group ?? "");
    if (reason !== undefined) deadLetters.push({ sink: sink.id, time: world.ctx.now(), reason, batch });
  }
  const dead = deadLetters.map(deadRow);
  const delivered = dead.reduce((rest, { count }) => rest - count, slice.samples);
  const ledger = [{ scope: "sink", id: sink.id, name: "delivered", reason: "", count: delivered } as const, ...dead];
  const changes = { deadLetters, replayed, ledger: ledger.filter(({ count }) => count > 0) };
  await commitStep(sink, journal, { position: slice.next, changes }, world);
}
