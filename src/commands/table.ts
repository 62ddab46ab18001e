import { oneLine } from "../model/one-line.ts";

/**
 * Lays out rows in columns for a terminal, the first row as the head; a column of numbers stands at the right. What
 * others have written cannot break out of its line.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(oneLine));
  const widths = head.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  const isNumber = head.map((_, column) => rows.every((row) => /^[-+]?[\d.]*$/.test(row[column] ?? "")));
  return lines
    .map((row) => {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
