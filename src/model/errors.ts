/** One mistake in a configuration: where (`sinks[1].endpoint`) and what. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** A mistake the user can mend, all of its issues together; ends the process with status 2 and without a stack. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly issues: readonly Issue[];
  constructor(message: string, issues: readonly Issue[] = [], options?: ErrorOptions) {
    super(message, options);
    this.issues = issues;
  }
}

/** A command line that cannot be understood; status 2, no stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Work that could not be done, for a reason outside mlmon (unreachable, unwritable, damaged); status 1, no stack. */
export class WorkError extends Error {
  override readonly name = "WorkError";
}
