import { stderr } from "node:process";
import { type ConsolaReporter, createConsola, LogLevels, type LogObject } from "consola";
import type { Log, LogFields } from "../model/log.ts";
import { oneLine, withoutOrders } from "../model/one-line.ts";
import { maskSecrets } from "../model/secret.ts";

/** From the most to the fewest lines. */
export const logLevels = ["debug", "info", "warn", "error"] as const;

/** How a line is written: for people or for machines. */
export const logFormats = ["text", "json"] as const;

/** What is logged and how. */
export interface LogOptions {
  readonly level: (typeof logLevels)[number];
  readonly format: (typeof logFormats)[number];
  /** Takes each finished line; stderr by default. */
  readonly write?: (line: string) => void;
}

/** Writes lines and their end on stderr; on a terminal over the progress that may stand there. */
export function writeOver(line: string): void {
  stderr.write(stderr.isTTY ? `\r\u001b[K${line}` : line);
}

/** Makes the process's log: one line an event on stderr, secrets masked. */
export function createLog({ level, format, write = writeOver }: LogOptions): Log {
  const reporter: ConsolaReporter = {
    log(entry) {
      write(`${format === "json" ? jsonLine(entry) : textLine(entry)}\n`);
    },
  };
  // Level and reporter explicit: consola's own choices depend on CI and test variables.
  const consola = createConsola({ level: LogLevels[level], reporters: [reporter], throttle: 0 });
  const at = (type: "debug" | "info" | "warn" | "error") => (message: string, fields?: Fields) => {
    if (LogLevels[type] > LogLevels[level]) return;
    consola[type](maskSecrets(message), masked(typeof fields === "function" ? fields() : fields));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

type Fields = Parameters<Log["debug"]>[1];

/** Masked before they are quoted, which would change a secret with a quotation mark in it. */
function masked(fields: LogFields = {}): LogFields {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === "string" ? maskSecrets(value) : value]),
  );
}

function jsonLine({ date, type, args }: LogObject): string {
  const [message, fields] = args;
  return JSON.stringify({ time: date.toISOString(), level: type, message, ...fields });
}

function textLine({ date, type, args }: LogObject): string {
  const [message, fields = {}] = args;
  const pairs = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${shown(value)}`],
  );
  return [date.toISOString(), type.toUpperCase().padEnd(5), oneLine(String(message)), ...pairs].join(" ");
}

function shown(value: unknown): string {
  return typeof value === "string" && /[\s"=\p{Cc}]/u.test(value)
    ? withoutOrders(JSON.stringify(value))
    : String(value);
}
