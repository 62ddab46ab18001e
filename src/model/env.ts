import { ConfigError } from "./errors.ts";

/**
 * Reads an environment variable while the configuration is loaded; white space around it is dropped.
 * Throws `ConfigError` when it is unset or empty and no default is given.
 */
export function env(name: string, fallback?: string): string {
  const value = process.env[name]?.trim();
  if (value) return value;
  if (fallback !== undefined) return fallback;
  throw new ConfigError(
    `The environment variable "${name}" is not set: export it, or give a default: env("${name}", "…")`,
  );
}
