/** What a source or sink finds out about the other side, for `mlmon doctor`. */
export interface Inspection {
  /** What was found, in the order in which it is printed: `["version", "3.17.2"]`. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly problems: readonly Problem[];
  /** What to do next when nothing is to mend; `mlmon dry-run` by default. */
  readonly next?: string;
}

/** Something to mend; a `fatal` one keeps the part from working. */
export interface Problem {
  readonly message: string;
  readonly mend: string;
  readonly fatal: boolean;
}
