import { createHash, createHmac, randomBytes } from "node:crypto";
import { Secret, secretProblem } from "../model/secret.ts";

/** What can be seen of a part of a configuration, to be compared with the same part of another load. */
export interface Fingerprint {
  /** Equal when the data is: texts, numbers, secrets by their value, functions by their source text. */
  readonly digest: string;
  /** Whether it holds functions: what they refer to cannot be seen. */
  readonly hasFunctions: boolean;
}

/**
 * Takes the fingerprint of any value, secrets read at this moment; called for each entry of each load. One that is
 * `lasting` is the same in another process, and may be stored: it has secrets by their name alone.
 */
export function fingerprint(value: unknown, { lasting = false } = {}): Fingerprint {
  const hash = lasting ? createHash("sha256") : createHmac("sha256", key);
  let hasFunctions = false;
  const seen = new Map<object, number>();

  function add(...words: readonly string[]): void {
    for (const word of words) hash.update(`${word.length}:${word}`);
  }

  function visit(part: unknown): void {
    if (typeof part === "function") {
      hasFunctions = true;
      add("function", String(part));
    } else if (typeof part !== "object" || part === null) {
      add(typeof part, Object.is(part, -0) ? "-0" : String(part));
    } else if (part instanceof Secret) {
      add("secret", part.name, !lasting && secretProblem(part) === undefined ? Secret.reveal(part) : "");
    } else if (seen.has(part)) {
      add("again", String(seen.get(part)));
    } else {
      seen.set(part, seen.size);
      visitObject(part);
    }
  }

  function visitObject(part: object): void {
    add("object", part.constructor?.name ?? "");
    if (part instanceof Date || part instanceof RegExp || part instanceof URL) add(String(part));
    if (part instanceof Map) for (const [name, inner] of part) visitPair(name, inner);
    if (part instanceof Set) for (const inner of part) visit(inner);
    // The order in which options are written means nothing.
    const entries = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, inner] of entries) visitPair(name, inner);
    add("end");
  }

  function visitPair(name: unknown, inner: unknown): void {
    visit(name);
    visit(inner);
  }

  visit(value);
  return { digest: hash.digest("hex"), hasFunctions };
}

/** Of this process alone, so that a digest tells nothing about a secret to whoever sees it. */
const key = randomBytes(32);
