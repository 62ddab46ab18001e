/** The code that the system or the runtime gives an error, such as `"ENOENT"`; nothing where it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
