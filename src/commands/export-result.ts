import type { ArgsDef } from "citty";
import type { ResolvedSink } from "../config/resolved.ts";
import { UsageError } from "../model/errors.ts";
import { withoutOrders } from "../model/one-line.ts";
import { parseDuration } from "../model/option.ts";
import { plural } from "../model/plural.ts";
import { maskSecrets } from "../model/secret.ts";
import type { ExportResult } from "../pipeline/export-once.ts";
import { writeOver } from "../runtime/log.ts";
import { print } from "./command.ts";

/** The flag of commands that end by themselves. */
export const timeoutArg = {
  timeout: {
    type: "string",
    description: "Give up a sink that makes no progress for this long; 60s by default",
    valueHint: "60s",
  },
} as const satisfies ArgsDef;

/** Reads `--timeout` as ms. Throws `UsageError`. */
export function patience(timeout: string | undefined): number {
  const ms = parseDuration(timeout ?? "60s");
  if (!ms) throw new UsageError(`Cannot use --timeout "${timeout}": expected a duration such as "60s" or "5m"`);
  return ms;
}

/** Whether all was delivered: else the command ends with 1. */
export function isComplete({ sinks }: ExportResult): boolean {
  return sinks.every(({ waiting, deadLetters }) => waiting === 0 && deadLetters === 0);
}

/**
 * Prints what an export has done: on stderr when a sink has written its samples to stdout, and not at all when that was
 * the only one and nobody has read on, as in `| head`.
 */
export async function tell(result: ExportResult, sinks: readonly ResolvedSink[], text: string): Promise<void> {
  if (!sinks.some(({ create }) => create().sink.ownsStdout)) return print(text);
  if (!result.sinks.every(({ gone }) => gone)) writeOver(withoutOrders(maskSecrets(text)));
}

/** What an export has done, for people, with `kept` when the rest stays in a state folder. */
export function describe({ read, filtered, sinks, seconds }: ExportResult, kept: boolean): string {
  const lines = sinks.map(({ id, delivered, unmatched = 0, refused = 0, deadLetters, waiting, error }) => {
    const dead = deadLetters > 0 ? `, ${deadLetters} refused for good` : "";
    const left = unmatched + refused > 0 ? `, ${unmatched + refused} left out` : "";
    const rest = waiting > 0 ? `, ${waiting} not delivered${kept ? " and kept" : ""}` : "";
    return `${id}: ${delivered} delivered${left}${dead}${rest}${error ? ` (${error})` : ""}\n`;
  });
  const dropped = filtered > 0 ? `, ${filtered} filtered` : "";
  return `${plural(read, "sample")} read${dropped}; ended after ${seconds.toFixed(1)} s\n${lines.join("")}`;
}
