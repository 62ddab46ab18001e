/** What a page of the text exposition holds, or why a Pushgateway refuses it. */
export type PushedPage =
  | { readonly kind: "page"; readonly series: number; readonly types: ReadonlyMap<string, string> }
  | { readonly kind: "refused"; readonly reason: string };

/** Reads a pushed page line by line, as strictly as a Pushgateway: last LF, no timestamp, no series twice. */
export function readPushedPage(text: string): PushedPage {
  if (text !== "" && !text.endsWith("\n")) return refused("text format parsing error: unexpected end of input stream");
  const types = new Map<string, string>();
  const series = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const typed = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (typed?.[1] && typed[2]) types.set(typed[1], typed[2]);
    if (line === "" || line.startsWith("#")) continue;
    const { name, labels = "", value, time } = sample.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined || !isValue(value)) {
      return refused(`text format parsing error in line ${index + 1}`);
    }
    if (time !== undefined) return refused("pushed metrics must not have timestamps");
    const id = `${name}{${[...labels.matchAll(pair)].map(([each]) => each).sort()}}`;
    if (series.has(id)) return refused(`collected metric "${name}" was collected before with the same name and labels`);
    series.add(id);
    if (!types.has(name)) types.set(name, "untyped");
  }
  return { kind: "page", series: series.size, types };
}

const sample =
  /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>(?:[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*",?)*)\})?[ \t]+(?<value>\S+)(?:[ \t]+(?<time>-?\d+))?$/;
const pair = /[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*"/g;

function isValue(text: string): boolean {
  return /^[+-]?(nan|inf|infinity)$/i.test(text) || Number.isFinite(Number(text));
}

function refused(reason: string): PushedPage {
  return { kind: "refused", reason };
}
