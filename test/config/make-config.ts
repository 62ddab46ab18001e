import { resolveConfig } from "../../src/config/resolve.ts";
import type { ResolvedConfig } from "../../src/config/resolved.ts";
import { ConfigError } from "../../src/model/errors.ts";

/** The lines that a mistaken configuration would print, the heading left out: `sinks[0].endpoint: is missing`. */
export function mistakes(config: unknown, secrets: "required" | "warn" = "required"): readonly string[] {
  try {
    resolveConfig(config, { origin: "mlmon.config.ts", secrets });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.length > 0 ? error.issues.map(({ path, message }) => `${path}: ${message}`) : [error.message];
  }
}

/** A configuration that must be good. */
export function resolved(config: unknown, secrets: "required" | "warn" = "required"): ResolvedConfig {
  return resolveConfig(config, { origin: "mlmon.config.ts", secrets });
}
