import process from "node:process";
import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from "citty";
import { loadConfig } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { UsageError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { createLog, logFormats, logLevels } from "../runtime/log.ts";

/** Flags that every command has. */
export const commonArgs = {
  config: {
    type: "string",
    description: "The configuration; mlmon.config.ts, else the environment",
    valueHint: "FILE",
  },
  json: { type: "boolean", description: "Print the result as JSON" },
  "log-level": { type: "string", description: `${logLevels.join(", ")}; info by default`, valueHint: "LEVEL" },
  "log-format": { type: "string", description: `${logFormats.join(", ")}; text by default`, valueHint: "FORMAT" },
} as const satisfies ArgsDef;

/** Flags of the commands that keep state or serve. */
export const stateArg = {
  state: { type: "string", description: "The state folder; .mlmon by default", valueHint: "DIR" },
} as const satisfies ArgsDef;
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
  /** Loads the configuration that the flags and the environment name, and logs its warnings. */
  config(secrets: "required" | "warn"): Promise<ResolvedConfig>;
}

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
      refuseUnknown(rawArgs, args, name);
      const flags: Readonly<Record<string, unknown>> = parsed;
      const log = createLog({
        level: choice("log-level", text(flags, "log-level") ?? process.env.MLMON_LOG_LEVEL, logLevels) ?? "info",
        format: choice("log-format", text(flags, "log-format") ?? process.env.MLMON_LOG_FORMAT, logFormats) ?? "text",
      });
      async function config(secrets: "required" | "warn"): Promise<ResolvedConfig> {
        const resolved = await loadConfig({
          file: text(flags, "config"),
          cwd: process.cwd(),
          env: process.env,
          secrets,
          listen: text(flags, "listen"),
          stateDir: text(flags, "state"),
        });
        for (const warning of resolved.warnings) log.warn(warning);
        return resolved;
      }
      const status = await run({ args: parsed, log, signal: stopSignal(), config });
      if (typeof status === "number") process.exitCode = status;
    },
  });
}

/** Prints a result on stdout; resolves when it has left the process, or when nobody reads on, as in `| head`. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once("error", settle);
    process.stdout.write(text, settle);
    function settle(error?: Error | null): void {
      if (!error) process.stdout.off("error", settle);
      if (!error || ("code" in error && error.code === "EPIPE")) resolve();
      else reject(error);
    }
  });
}

/** Reads one of the values a flag may have; throws `UsageError` for another one. */
export function choice<T extends string>(flag: string, value: string | undefined, values: readonly T[]): T | undefined {
  if (value === undefined || value === "") return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found) return found;
  throw new UsageError(`Cannot use --${flag} "${value}": expected one of ${values.join(", ")}`);
}

/** Reads a flag that is a text; nothing when it is not given. */
export function text(flags: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());
  return stop.signal;
}

function refuseUnknown(rawArgs: readonly string[], args: ArgsDef, command: string): void {
  const names = [...Object.keys(args), "help"];
  const wantsValue = (name: string) => args[name]?.type === "string" || args[name]?.type === "enum";
  for (let index = 0; index < rawArgs.length; index++) {
    const word = rawArgs[index] ?? "";
    if (!word.startsWith("-"))
      throw new UsageError(`Unknown word "${word}" after "mlmon ${command}": see mlmon ${command} --help`);
    const [flag = "", value] = word.replace(/^--?/, "").split(/=(.*)/s);
    if (!names.includes(flag)) {
      const near = nearest(flag, names);
      throw new UsageError(
        `Unknown flag "${word.split("=")[0]}"${near ? `: did you mean "--${near}"?` : `: see mlmon ${command} --help`}`,
      );
    }
    if (!wantsValue(flag) || value !== undefined) continue;
    index += 1;
    if (rawArgs[index] === undefined)
      throw new UsageError(`The flag "--${flag}" needs a value: --${flag} ${hint(args, flag)}`);
  }
}

function hint(args: ArgsDef, flag: string): string {
  const argument = args[flag];
  return argument && "valueHint" in argument && argument.valueHint ? argument.valueHint : "VALUE";
}
