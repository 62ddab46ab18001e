import process from "node:process";
import type { ArgsDef, CommandDef } from "citty";
import { version } from "../runtime/version.ts";
import { commonArgs, jsonArg } from "./command.ts";

/** A line of help: what is typed, and what it does. */
type Row = readonly [typed: string, does: string];

/** The help of `mlmon` itself: every command that is not hidden, in the order given. */
export async function overview(commands: ReadonlyMap<string, CommandDef>): Promise<string> {
  const rows: Row[] = [];
  for (const [name, command] of commands) {
    const meta = await resolved(command.meta);
    if (meta?.hidden) continue;
    rows.push([name, meta?.name === name ? (meta.description ?? "") : `The same as ${meta?.name}`]);
  }
  const title = `mlmon ${version}: everything MLflow measures, in every monitoring system your team already owns`;
  return `${wrap(title, columns()).join("\n")}

Usage: mlmon COMMAND [FLAGS]

${layOut(rows)}
mlmon COMMAND --help shows the flags of a command.
`;
}

/** The help of a command: its own flags before those of most commands. */
export async function usage(command: CommandDef): Promise<string> {
  const { name, description = "" } = (await resolved(command.meta)) ?? {};
  const args: ArgsDef = (await resolved(command.args)) ?? {};
  const flags = Object.entries(args).map(([flag, arg]): [string, Row] => {
    const value = "valueHint" in arg && arg.valueHint ? ` ${arg.valueHint}` : "";
    return [flag, [`--${flag}${value}`, arg.description ?? ""]];
  });
  const isCommon = ([flag]: readonly [string, Row]) => Object.hasOwn({ ...commonArgs, ...jsonArg }, flag);
  const rows = [...flags.filter((flag) => !isCommon(flag)), ...flags.filter(isCommon)].map(([, row]) => row);
  return `${wrap(`mlmon ${name}: ${description}`, columns()).join("\n")}

Usage: mlmon ${name} [FLAGS]

${layOut(rows)}`;
}

function resolved<T>(value: T | Promise<T> | (() => T | Promise<T>)): T | Promise<T> {
  return value instanceof Function ? value() : value;
}

/** As wide as the terminal, but no wider than one reads well. */
function columns(): number {
  return Math.min(process.stdout.columns || 80, 100);
}

/** Two columns, the second wrapped under itself. */
function layOut(rows: readonly Row[]): string {
  const indent = Math.max(...rows.map(([typed]) => typed.length)) + 4;
  return rows
    .map(([typed, does]) => {
      const lines = wrap(does, Math.max(columns() - indent, 20));
      return `${`  ${typed}`.padEnd(indent)}${lines.join(`\n${" ".repeat(indent)}`)}\n`;
    })
    .join("");
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
