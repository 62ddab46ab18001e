/** Facts beside a message: `{ sink: "pramathus", samples: 100 }`. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one line an event to stderr: a sentence and its fields, with every known secret masked. */
export interface Log {
  /** Fields that cost something are a function, which is called only where the level is debug. */
  debug(message: string, fields?: LogFields | (() => LogFields)): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A log that says nothing: the default where a caller hands in none. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
