import { join } from "node:path";
import process from "node:process";
import { type CommandDef, runCommand } from "citty";
import { explain } from "../config/explain.ts";
import { codeOf } from "../model/error-code.ts";
import { ConfigError, UsageError, WorkError } from "../model/errors.ts";
import { messageOf } from "../model/message-of.ts";
import { nearest } from "../model/nearest.ts";
import { oneLine } from "../model/one-line.ts";
import { maskSecrets } from "../model/secret.ts";
import { writeOver } from "../runtime/log.ts";
import { version } from "../runtime/version.ts";
import { print } from "./command.ts";
import { overview, usage } from "./help.ts";

/** Sub-commands by name, each loaded when it is asked for. */
export type Commands = Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;

/**
 * Runs the command line and ends the process: 0 done, 1 the work failed, 2 usage or configuration, 3 a gate said no.
 * Whatever a user's file has left running does not hold it.
 */
export async function main(commands: Commands, words: readonly string[]): Promise<void> {
  // Stdout is for results: what a user's file says, now or in its plugins later, must not mix into them.
  for (const method of ["log", "info", "debug"] as const) console[method] = console.error;
  for (const event of ["uncaughtException", "unhandledRejection"] as const) process.on(event, stray);
  try {
    await dispatch(commands, words);
  } catch (error) {
    process.exitCode = complain(error, isDebugging(words));
  }
  for (const stream of [process.stdout, process.stderr]) await flushed(stream);
  process.exit();
}

async function dispatch(commands: Commands, words: readonly string[]): Promise<void> {
  const [name, ...rest] = joined(words, commands);
  if (name === "--version" || name === "-v" || name === "version") return print(`${version}\n`);
  if (name === "help" && rest[0] !== undefined) return dispatch(commands, [...rest, "--help"]);
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return print(await overview(await loaded(commands)));
  const load = commands[name];
  if (!load || !Object.hasOwn(commands, name)) throw unknownCommand(name, Object.keys(commands), rest);
  const command = (await load()).default as CommandDef;
  if (rest.includes("--help") || rest.includes("-h")) return print(await usage(command));
  await runCommand(command, { rawArgs: rest });
}

/** A command of two words, such as `queue peek`, is one; so is a misspelt one. */
function joined(words: readonly string[], commands: Commands): readonly string[] {
  const [first, second] = words;
  const isPair =
    second?.startsWith("-") === false && Object.keys(commands).some((name) => name.startsWith(`${first} `));
  return isPair ? [`${first} ${second}`, ...words.slice(2)] : words;
}

function unknownCommand(name: string, names: readonly string[], rest: readonly string[]): UsageError {
  if (!name.startsWith("-")) {
    const near = nearest(name, [...names, "version", "help"]);
    return new UsageError(`Unknown command "${name}": ${near ? `did you mean "${near}"?` : "see mlmon --help"}`);
  }
  const command = rest.find((word) => names.includes(word));
  if (command) return new UsageError(`The command comes before its flags: mlmon ${command} ${name}`);
  const near = nearest(name, ["--help", "--version"]);
  return new UsageError(`Unknown flag "${name}": ${near ? `did you mean "${near}"?` : "see mlmon --help"}`);
}

async function loaded(commands: Commands): Promise<ReadonlyMap<string, CommandDef>> {
  const all = new Map<string, CommandDef>();
  for (const [name, load] of Object.entries(commands)) all.set(name, (await load()).default as CommandDef);
  return all;
}

function isDebugging(words: readonly string[]): boolean {
  return process.env.MLMON_LOG_LEVEL === "debug" || /--log-level[= ]debug\b/.test(words.join(" "));
}

/** Prints what went wrong, for the person at the keyboard, and returns the exit status. */
function complain(error: unknown, withStack: boolean): number {
  // Nobody reads on: mlmon dry-run | head
  if (codeOf(error) === "EPIPE") return 1;
  if (error instanceof ConfigError) {
    say(`mlmon: ${error.message}`);
    for (const { path, message } of error.issues) say(`  ${path}: ${message}`);
    return 2;
  }
  // citty refuses a missing value by itself
  if (error instanceof UsageError || (error instanceof Error && error.name === "CLIError")) {
    say(`mlmon: ${error.message}`);
    return 2;
  }
  if (error instanceof WorkError) {
    say(`mlmon: ${error.message}`);
    return 1;
  }
  say(`mlmon: this is a bug: ${messageOf(error)}`);
  if (error instanceof Error && withStack) {
    for (const line of (error.stack ?? "").split("\n")) say(line);
  }
  return 1;
}

/** A failure that nobody waits for, such as one in a timer of a user's plugin: told, and everything else goes on. */
function stray(error: unknown): void {
  if (codeOf(error) === "EPIPE") return;
  say(`mlmon: something failed that nobody waits for: ${explain(error, join(process.cwd(), "-"))}`);
  process.exitCode = 1;
}

function say(line: string): void {
  writeOver(`${oneLine(maskSecrets(line))}\n`);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
