import type { Measure } from "./monitor.ts";
import type { Soaked } from "./soak.ts";

const columns = [8, 9, 12, 12, 12, 12, 10, 8] as const;

/** The head of the lines of `measureLine`. */
export const tableHead = row(["minute", "runs", "resident", "journal", "in use", "page", "series", "state"]);

/** One measure as a line; `begun` is Unix ms. */
export function measureLine({ time, passed, figures }: Measure, begun: number): string {
  const figure = (name: string) => figures.get(name) ?? 0;
  return row([
    ((time - begun) / 60_000).toFixed(1),
    String(passed),
    `${(figure("resident") / 1e6).toFixed(1)} MB`,
    `${(figure("journal") / 1e6).toFixed(2)} MB`,
    `${(figure("journal in use") / 1e6).toFixed(2)} MB`,
    `${(figure("page") / 1e3).toFixed(1)} kB`,
    String(figure("series")),
    String(figure("source/mlflow: state")),
  ]);
}

/** What a soak has shown: each figure at the first ebb and at the last, and what each run leaves of it. */
export function finalLines({ verdicts, passed, written, delivered, warnings }: Soaked): readonly string[] {
  const head = ["", "first ebb", "last ebb", "at most", "a run leaves", ""];
  const rows = verdicts.map(({ name, first, last, most, perRun, isFlat }) => {
    const bytes = ["resident", "journal", "journal in use", "page"].includes(name);
    return [
      name,
      amount(first),
      amount(last),
      amount(most),
      `${perRun.toFixed(3)}${bytes ? " B" : ""}`,
      isFlat ? "flat" : "GROWS",
    ];
  });
  return [
    "",
    ...[head, ...rows].map(
      ([name = "", ...cells]) => name.padEnd(34) + cells.map((cell) => cell.padStart(14)).join(""),
    ),
    "",
    `${passed} runs passed, ${written} points written, ${delivered} delivered (lost ${written - delivered})`,
    `${warnings.length} warnings or errors in the log${warnings[0] === undefined ? "" : `: ${warnings[0]}`}`,
  ];
}

function amount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, " ");
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(columns[index] ?? 0)).join("");
}
