import process from "node:process";
import { type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import { nearest } from "../config/nearest.ts";
import { ConfigError, UsageError, WorkError } from "../model/errors.ts";
import { maskSecrets } from "../model/secret.ts";
import { version } from "../runtime/version.ts";
import { print } from "./command.ts";

/** Sub-commands by name, each loaded when it is asked for. */
export type Commands = Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;

/** Runs the command line and sets the exit status: 0 done, 1 the work failed, 2 usage or configuration, 3 a gate said no. */
export async function main(commands: Commands, words: readonly string[]): Promise<void> {
  try {
    await dispatch(commands, words);
  } catch (error) {
    process.exitCode = complain(error);
  }
}

async function dispatch(commands: Commands, words: readonly string[]): Promise<void> {
  const [name, ...rest] = words;
  if (name === "--version" || name === "-v") return print(`${version}\n`);
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return print(await overview(commands));
  const load = commands[name];
  if (!load || !Object.hasOwn(commands, name)) {
    const near = nearest(name, Object.keys(commands));
    throw new UsageError(`Unknown command "${name}": ${near ? `did you mean "${near}"?` : "see mlmon --help"}`);
  }
  const command = (await load()).default as CommandDef;
  if (rest.includes("--help") || rest.includes("-h")) {
    return print(`${await renderUsage(command, defineCommand({ meta: { name: "mlmon" } }))}\n`);
  }
  await runCommand(command, { rawArgs: rest });
}

async function overview(commands: Commands): Promise<string> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(commands)) {
    const command = (await load()).default as CommandDef;
    const meta = typeof command.meta === "function" ? await command.meta() : await command.meta;
    if (meta?.hidden) continue;
    lines.push(`  ${name.padEnd(17)} ${meta?.name === name ? (meta.description ?? "") : `the same as ${meta?.name}`}`);
  }
  return `mlmon ${version}: everything MLflow measures, in every monitoring system your team already owns

Usage: mlmon COMMAND [FLAGS]

${lines.join("\n")}

mlmon COMMAND --help shows the flags of a command.
`;
}

/** Prints what went wrong, for the person at the keyboard, and returns the exit status. */
function complain(error: unknown): number {
  const say = (line: string) => process.stderr.write(`${maskSecrets(line)}\n`);
  if (error instanceof ConfigError) {
    say(`mlmon: ${error.message}`);
    for (const { path, message } of error.issues) say(`  ${path}: ${message}`);
    return 2;
  }
  if (error instanceof UsageError) {
    say(`mlmon: ${error.message}`);
    return 2;
  }
  if (error instanceof WorkError) {
    say(`mlmon: ${error.message}`);
    return 1;
  }
  // citty refuses a missing value by itself
  if (error instanceof Error && error.name === "CLIError") {
    say(`mlmon: ${error.message}`);
    return 2;
  }
  say(`mlmon: this is a bug: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof Error && process.env.MLMON_LOG_LEVEL === "debug") say(error.stack ?? "");
  return 1;
}
