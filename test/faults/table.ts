import type { Played } from "./play.ts";

const heads = ["scenario", "points", "lost", "doubled", "out of order", "dead letters", "recovery"] as const;

/** The result as a table in Markdown: sums over the four sinks, and who has doubled what. */
export function table(played: readonly Played[]): string {
  const rows = played.map(({ name, points, sinks, misses, recoveryMs }) => {
    const sum = (of: "lost" | "outOfOrder" | "dead") => String(sinks.reduce((total, sink) => total + sink[of], 0));
    const doubled = sinks.filter((sink) => sink.doubled > 0).map((sink) => `${sink.sink} ${sink.doubled}`);
    const judged = sinks.length > 0;
    const recovery = Number.isNaN(recoveryMs) ? "never" : `${(recoveryMs / 1000).toFixed(1)} s`;
    return [
      misses.length > 0 ? `${name} (!)` : name,
      String(points),
      judged ? sum("lost") : "?",
      judged ? doubled.join(", ") || "0" : "?",
      judged ? sum("outOfOrder") : "?",
      judged ? sum("dead") : "?",
      recovery,
    ];
  });
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? `${"-".repeat(width + 2)}` : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(heads), rule, ...rows.map(line)].join("\n");
}
