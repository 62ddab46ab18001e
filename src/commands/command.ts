import process from "node:process";
import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from "citty";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import type { SecretsCheck } from "../config/resolve.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { codeOf } from "../model/error-code.ts";
import { UsageError, WorkError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { withoutOrders } from "../model/one-line.ts";
import { createLog, logFormats, logLevels } from "../runtime/log.ts";
import { checkWords } from "./check-words.ts";

/** Flags that every command has. */
export const commonArgs = {
  config: {
    type: "string",
    description: "The configuration; mlmon.config.ts by default, without one the environment variables",
    valueHint: "FILE",
  },
  "log-level": { type: "string", description: `${logLevels.join(", ")}; info by default`, valueHint: "LEVEL" },
  "log-format": { type: "string", description: `${logFormats.join(", ")}; text by default`, valueHint: "FORMAT" },
} as const satisfies ArgsDef;

/** The flag of the commands that have a result. */
export const jsonArg = {
  json: { type: "boolean", description: "Print the result as JSON" },
} as const satisfies ArgsDef;

/** Flags of the commands that keep state or serve. */
export const stateArg = {
  state: { type: "string", description: "The state folder; .mlmon by default", valueHint: "DIR" },
} as const satisfies ArgsDef;

/** The flag of the commands that serve or look at the port. */
export const listenArg = {
  listen: {
    type: "string",
    description: "Where the status server listens; 127.0.0.1:9890 by default",
    valueHint: "HOST:PORT",
  },
} as const satisfies ArgsDef;

/** What a command's `run` is given. */
export interface Invocation<T extends ArgsDef> {
  readonly args: ParsedArgs<T>;
  readonly log: Log;
  /** Fires at SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Loads the configuration that the flags and the environment name, and logs its warnings. Until the first was loaded
   * a signal ends the process at once.
   */
  config(secrets: SecretsCheck, onFile?: LoadOptions["onFile"]): Promise<ResolvedConfig>;
}

/** What a command is made of. */
export interface CommandOptions<T extends ArgsDef> {
  readonly name: string;
  readonly description: string;
  readonly args: T;
  /** Returns the exit status; nothing is 0. */
  run(invocation: Invocation<T>): Promise<number | undefined> | Promise<void>;
}

/** Defines a sub-command; unlike citty alone it refuses flags and words it does not know. */
export function defineMlmonCommand<T extends ArgsDef>({
  name,
  description,
  args,
  run,
}: CommandOptions<T>): CommandDef<T> {
  return defineCommand({
    meta: { name, description },
    args,
    async run({ args: parsed, rawArgs }) {
      checkWords(rawArgs, args, name);
      const flags: Readonly<Record<string, unknown>> = parsed;
      const log = createLog({
        level:
          choice("log-level", text(flags, "log-level"), logLevels) ?? variable("MLMON_LOG_LEVEL", logLevels) ?? "info",
        format:
          choice("log-format", text(flags, "log-format"), logFormats) ??
          variable("MLMON_LOG_FORMAT", logFormats) ??
          "text",
      });
      const stop = stopSignal();
      let origin: string | undefined;
      async function config(secrets: SecretsCheck, onFile: LoadOptions["onFile"] = () => {}): Promise<ResolvedConfig> {
        const options: LoadOptions = {
          // A file that is gone for a moment is no wish to do without its sinks.
          file: text(flags, "config") ?? (origin === "environment" ? undefined : origin),
          cwd: process.cwd(),
          env: process.env,
          secrets,
          listen: text(flags, "listen"),
          stateDir: text(flags, "state"),
          // The second thread would cost a service 7 MB for good; at its start whatever has started it sees that it hangs.
          guarded: name !== "run" || origin !== undefined,
          onFile,
        };
        // A user's file may never end.
        const load = () => loadConfig(options);
        const resolved = await (origin === undefined ? stop.deafDuring(load) : load());
        origin = resolved.origin;
        for (const warning of resolved.warnings) log.warn(warning);
        return resolved;
      }
      const status = await run({ args: parsed, log, signal: stop.signal, config });
      if (typeof status === "number") process.exitCode = status;
    },
  });
}

/**
 * Prints a result on stdout; resolves when it has left the process, or when nobody reads on, as in `| head`. Throws
 * `WorkError` when it cannot be written, as to a full disk. Bytes stay as they are.
 */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once("error", settle);
    // A file or a pipe gets the exact text; a terminal would obey what stands in it.
    const isShown = process.stdout.isTTY && typeof text === "string";
    process.stdout.write(isShown ? withoutOrders(text) : text, settle);
    function settle(error?: Error | null): void {
      if (!error) process.stdout.off("error", settle);
      const code = codeOf(error) ?? error?.message;
      if (!error || code === "EPIPE") resolve();
      else reject(new WorkError(`Cannot write the result: ${code === "ENOSPC" ? "the disk is full" : code}`));
    }
  });
}

/** Reads one of the values a flag may have; throws `UsageError` for another one. */
export function choice<T extends string>(flag: string, value: string | undefined, values: readonly T[]): T | undefined {
  return oneOf(`--${flag}`, value, values);
}

/** The same for an environment variable. */
function variable<T extends string>(name: string, values: readonly T[]): T | undefined {
  return oneOf(name, process.env[name]?.trim().toLowerCase(), values);
}

function oneOf<T extends string>(what: string, value: string | undefined, values: readonly T[]): T | undefined {
  if (value === undefined || value === "") return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found) return found;
  throw new UsageError(`Cannot use ${what} "${value}": expected one of ${values.join(", ")}`);
}

/** Reads a flag that is a text; nothing when it is not given. */
export function text(flags: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}

/** A terminal, and the program between it and mlmon, may both pass the same Ctrl-C on. */
const sameSignalMs = 500;

/**
 * Fires at SIGINT or SIGTERM. A second one, and any while it is deaf, ends the process at once as it would any other
 * (status 130 or 143): nothing is lost, as all that is to survive is in the journal.
 */
function stopSignal() {
  const stop = new AbortController();
  function abort(): void {
    if (stop.signal.aborted) return;
    stop.abort();
    setTimeout(() => names.forEach((name) => void process.off(name, abort)), sameSignalMs).unref();
  }
  const names = ["SIGINT", "SIGTERM"] as const;
  const listen = () => names.forEach((name) => void process.on(name, abort));
  listen();
  return {
    signal: stop.signal,
    async deafDuring<T>(work: () => Promise<T>): Promise<T> {
      for (const name of names) process.off(name, abort);
      return work().finally(() => stop.signal.aborted || listen());
    },
  };
}
