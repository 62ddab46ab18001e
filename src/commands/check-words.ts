import type { ArgsDef } from "citty";
import { UsageError } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";

/**
 * Refuses what citty would let pass: flags and words the command does not know, a flag without its value, one that is
 * given twice. Throws `UsageError` with the nearest name.
 */
export function checkWords(words: readonly string[], args: ArgsDef, command: string): void {
  const given = new Set<string>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("-") || word === "-")
      throw new UsageError(`Unknown word "${word}" after "mlmon ${command}": see mlmon ${command} --help`);
    const [flag = "", value] = word.split(/=(.*)/s);
    const name = flag.slice(2);
    const argument = flag.startsWith("--") && Object.hasOwn(args, name) ? args[name] : undefined;
    if (!argument) throw unknownFlag(flag, Object.keys(args), command);
    if (given.has(name)) throw new UsageError(`The flag "${flag}" is given twice: give it once`);
    given.add(name);
    if (argument.type === "boolean") {
      if (value !== undefined) throw new UsageError(`The flag "${flag}" takes no value: found "${value}"`);
      continue;
    }
    if (value === undefined) index += 1;
    const hint = "valueHint" in argument && argument.valueHint ? argument.valueHint : "VALUE";
    if (isMissing(value, words[index])) throw new UsageError(`The flag "${flag}" needs a value: ${flag} ${hint}`);
  }
}

function unknownFlag(flag: string, names: readonly string[], command: string): UsageError {
  const near = nearest(flag.replace(/^--?(no-)?/, ""), [...names, "help"]);
  return new UsageError(
    `Unknown flag "${flag}": ${near ? `did you mean "--${near}"?` : `see mlmon ${command} --help`}`,
  );
}

/** A word that looks like a flag is not taken for a value; `--flag=--value` is. */
function isMissing(value: string | undefined, next: string | undefined): boolean {
  if (value !== undefined) return value === "";
  return next === undefined || next === "" || next.startsWith("--");
}
