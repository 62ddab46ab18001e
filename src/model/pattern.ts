/** Whether a name matches a pattern, in which `*` stands for any characters; every other one for itself. */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`, "s").test(name);
}
