import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { ConfigError } from "./errors.ts";

/** A value that is sent but never shown: it prints as `<secret NAME>` in logs, previews, JSON and messages. */
export class Secret {
  /** The variable, file or option it comes from. */
  readonly name: string;
  readonly #shown: string;
  readonly #read: () => string;

  constructor(name: string, read: () => string, shown = `<secret ${name}>`) {
    this.name = name;
    this.#read = read;
    this.#shown = shown;
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  [inspect.custom](): string {
    return this.#shown;
  }

  /** Returns the value; for the sender and the server's token check alone. Throws `ConfigError` when it is not set. */
  static reveal(secret: Secret): string {
    const value = secret.#read();
    for (const form of forms(value)) if (form.length >= 4) remember(form);
    return value;
  }
}

/** Makes secrets for a configuration, and header values of them. Nothing is read until a request is sent. */
export const secret = {
  /** Reads the environment variable at the moment of use. */
  env(name: string): Secret {
    return new Secret(name, () => {
      const value = process.env[name]?.trim();
      if (!value) throw new ConfigError(`The secret "${name}" is not set: export the variable ${name}`);
      return checked(name, value);
    });
  },
  /** Reads the file at the moment of use, without the white space around its text. */
  file(path: string): Secret {
    return new Secret(path, () => {
      try {
        return checked(path, readFileSync(path, "utf8").trim());
      } catch (cause) {
        if (cause instanceof ConfigError) throw cause;
        throw new ConfigError(`The secret file "${path}" cannot be read: create it, readable by mlmon`, [], { cause });
      }
    });
  },
  /** Wraps a value that stands in the configuration itself. */
  literal(name: string, value: string): Secret {
    return new Secret(name, () => checked(name, value.trim()));
  },
  /** `Bearer …`, for an `Authorization` header. */
  bearer(token: Secret): Secret {
    return new Secret(token.name, () => `Bearer ${Secret.reveal(token)}`, `Bearer ${token}`);
  },
  /** `Basic …` (RFC 7617), for an `Authorization` header. */
  basic(user: string, password: Secret): Secret {
    const encode = () => `Basic ${Buffer.from(`${user}:${Secret.reveal(password)}`).toString("base64")}`;
    return new Secret(password.name, encode, `Basic <secret ${password.name}>`);
  },
};

/** Replaces every secret that was revealed so far by `<secret>`: for words that come from outside. */
export function maskSecrets(text: string): string {
  let masked = text;
  // The longest first: one secret may begin another.
  for (const value of [...known].sort((a, b) => b.length - a.length)) masked = masked.replaceAll(value, "<secret>");
  return masked;
}

/** Says what keeps a secret from being read, or nothing when it can be. */
export function secretProblem(secret: Secret): string | undefined {
  try {
    Secret.reveal(secret);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Says whether a secret was put into a text, where it is its name: a preview would look right, and a receiver get it. */
export function holdsSecret(text: string): boolean {
  return /<secret [^<>]+>/.test(text);
}

const known = new Set<string>();

/**
 * Values of secrets that are masked, each in its forms, those that were replaced by newer ones too; the longest unused
 * goes first.
 */
export const maxSecrets = 1000;

/** How many values `maskSecrets` looks for; called for each status. */
export function knownSecrets(): number {
  return known.size;
}

/**
 * A value as it may come back: as it is, and as JSON and addresses write it; of credentials also what comes after their
 * scheme, in the same forms.
 */
function forms(value: string): ReadonlySet<string> {
  const [, credentials] = /^(?:Basic|Bearer) (.+)$/.exec(value) ?? [];
  const bare = credentials === undefined ? [value] : [value, credentials];
  // The value itself last: it is the last that goes.
  return new Set(
    bare.flatMap((text) => [JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed()), text]),
  );
}

function remember(value: string): void {
  known.delete(value);
  known.add(value);
  const [oldest] = known;
  if (known.size > maxSecrets && oldest !== undefined) known.delete(oldest);
}

function checked(name: string, value: string): string {
  // A header value with a line end would be printed whole by a runtime's own error.
  if (value === "") throw new ConfigError(`The secret "${name}" is empty`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that no header may hold
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new ConfigError(`The secret "${name}" holds a control character`);
  return value;
}
