/**
 * Turns a page of text 0.0.4, as prom-client writes mlmon's own series, into OpenMetrics without its end: a counter's
 * family loses `_total`, a counter not so named and what is untyped become `unknown`, comments and empty lines go.
 */
export function toOpenMetrics(page: string): string {
  const lines = page.split("\n");
  const counters = new Set(lines.flatMap((line) => /^# TYPE (\S+)_total counter$/.exec(line)?.[1] ?? []));
  return lines.map((line) => convertLine(line, counters)).join("");
}

function convertLine(line: string, counters: ReadonlySet<string>): string {
  if (line === "") return "";
  if (!line.startsWith("#")) return `${line}\n`;
  const head = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line);
  if (!head) return "";
  const [, keyword = "", name = "", rest = ""] = head;
  const bare = name.endsWith("_total") ? name.slice(0, -"_total".length) : name;
  const isCounter = counters.has(bare) && bare !== name;
  const family = isCounter ? bare : name;
  if (keyword === "HELP") return `# HELP ${family} ${rest.replaceAll('"', '\\"')}\n`;
  return `# TYPE ${family} ${isCounter ? "counter" : openMetricsType(rest)}\n`;
}

function openMetricsType(type: string): string {
  return type === "untyped" || type === "counter" ? "unknown" : type;
}
