import type { ResolvedConfig } from "../config/resolved.ts";
import type { Send } from "../delivery/send.ts";
import { ConfigError } from "../model/errors.ts";
import type { Inspection, Problem } from "../model/inspection.ts";
import { messageOf } from "../model/message-of.ts";
import { checkListen } from "./check-listen.ts";
import { checkSink } from "./check-sink.ts";
import { checkState } from "./check-state.ts";

/** What was looked at, and what was found. */
export interface Finding extends Inspection {
  /** `"source mlflow"`. */
  readonly what: string;
}

/** What the examination asks with. */
export interface ExamineOptions {
  readonly send: Send;
  readonly signal: AbortSignal;
}

/**
 * Looks at everything a configuration names, all at once, and gives the findings in the configuration's order, each as
 * soon as it is there. Leaves no data behind and never throws for what is wrong.
 */
export async function* examine(config: ResolvedConfig, { send, signal }: ExamineOptions): AsyncGenerator<Finding> {
  const look = (what: string, inspect: () => Promise<Inspection>) => lookAt(what, inspect, signal);
  const looks = [
    ...config.sources.map((source) =>
      look(`source ${source.id}`, async () => (await source.create().inspect?.(signal)) ?? unchecked),
    ),
    ...config.sinks.map((sink) => look(`sink ${sink.id}`, () => checkSink(sink, send, signal))),
    look("state folder", () => checkState(config.stateDir ?? ".mlmon")),
    look("status server", () => checkListen(config.server, send, signal)),
  ];
  for (const finding of looks) yield await finding;
}

const unchecked: Inspection = { facts: [["not checked", "its plugin offers no inspect()"]], problems: [] };

const stopped: Problem = { message: "stopped before an answer came", mend: "check again", fatal: true };

/** What a plugin's own check throws is a finding, too; but not that it was told to stop. */
async function lookAt(what: string, inspect: () => Promise<Inspection>, signal: AbortSignal): Promise<Finding> {
  try {
    return { what, ...(await inspect()) };
  } catch (error) {
    if (signal.aborted) return { what, facts: [], problems: [stopped] };
    const reason = messageOf(error);
    const problem =
      error instanceof ConfigError
        ? { message: reason, mend: "then check again" }
        : { message: `The check itself failed: ${reason}`, mend: `mend the plugin of ${what}` };
    return { what, facts: [], problems: [{ ...problem, fatal: true }] };
  }
}
