import type { Selection } from "../delivery/select.ts";
import { plural } from "../model/plural.ts";

/** Counts what a sink cannot carry; what its `match` leaves out is the user's wish, and no warning. */
export interface LeftOut {
  /** Called for each slice or group. */
  add(selection: Selection): void;
  /** One sentence a reason, with an example. */
  warnings(): readonly string[];
}

/** Makes the count of one sink. */
export function openLeftOut(sink: string): LeftOut {
  const reasons = new Map<string, { count: number; readonly example: string }>();
  return {
    add({ ledger, examples }) {
      for (const { name, reason, count } of ledger) {
        if (name !== "refused") continue;
        const known = reasons.get(reason) ?? { count: 0, example: examples?.get(reason)?.name ?? "" };
        reasons.set(reason, { ...known, count: known.count + count });
      }
    },
    warnings: () =>
      [...reasons].map(
        ([reason, { count, example }]) =>
          `${sink} leaves out ${plural(count, "sample")} that it cannot carry (${reason}), such as ${example}`,
      ),
  };
}
