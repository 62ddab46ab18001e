/** One line of a page. */
export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

/** Reads a page strictly: throws at anything the text format does not allow, a doubled series, or a torn family. */
export function parsePage(page: string, format: "text" | "openmetrics" = "text"): Line[] {
  if (page !== "" && !page.endsWith("\n")) throw new Error("the last line has no end");
  const rows = page.split("\n").slice(0, -1);
  if (format === "openmetrics" && rows.pop() !== "# EOF") throw new Error("no # EOF");
  const lines: Line[] = [];
  const series = new Set<string>();
  const families = new Set<string>();
  let family = "";
  for (const row of rows) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(row);
    if (head) {
      const [, keyword, name = ""] = head;
      if (keyword === "HELP") {
        if (families.has(name)) throw new Error(`${name} is torn`);
        families.add(name);
        family = name;
      } else if (name !== family) throw new Error(`TYPE of ${name} stands apart`);
      continue;
    }
    const line = parseLine(row);
    if (line.name !== family) throw new Error(`${line.name} stands in ${family}`);
    const identity = JSON.stringify([
      line.name,
      Object.entries(line.labels)
        .filter(([, value]) => value)
        .sort(),
    ]);
    if (series.has(identity)) throw new Error(`${identity} is there twice`);
    series.add(identity);
    lines.push(line);
  }
  return lines;
}

function parseLine(row: string): Line {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/su.exec(row);
  if (!match) throw new Error(`not a line: ${JSON.stringify(row)}`);
  const [, name = "", text = "", value = ""] = match;
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== "") {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/su.exec(rest);
    if (!label) throw new Error(`not labels: ${JSON.stringify(rest)}`);
    const [whole, key = "", escaped = ""] = label;
    if (Object.hasOwn(labels, key)) throw new Error(`${key} is there twice`);
    labels[key] = escaped.replace(/\\(.)/gsu, (_, char: string) => (char === "n" ? "\n" : char));
    rest = rest.slice(whole.length);
  }
  return { name, labels, value };
}
