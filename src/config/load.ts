import { existsSync, readFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { ConfigError, type Issue, UsageError } from "../model/errors.ts";
import { loadModule } from "../runtime/load-module.ts";
import { environmentSettings } from "./environment.ts";
import type { Env } from "./original.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";

export interface LoadOptions {
  /** `--config`; else the first of `mlmon.config.ts` (`.mts .js .mjs`) in `cwd`, else the environment. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly env: Env;
  readonly secrets: "required" | "warn";
  /** `--listen`. */
  readonly listen?: string | undefined;
  /** `--state`. */
  readonly stateDir?: string | undefined;
}

/** Finds, loads and checks the configuration; throws a `ConfigError` that names every mistake at once. */
export async function loadConfig(options: LoadOptions): Promise<ResolvedConfig> {
  const { cwd, env, secrets } = options;
  const file = options.file ?? names.find((name) => existsSync(resolve(cwd, name)));
  if (file !== undefined && !existsSync(resolve(cwd, file))) {
    throw new UsageError(
      `Cannot find the configuration "${file}": give the path of a file, or make one with mlmon init`,
    );
  }
  const loaded = file === undefined ? await fromEnvironment(env) : await fromFile(file, cwd, env);
  return resolveConfig(loaded.config, {
    origin: file ?? "environment",
    secrets,
    listen: options.listen ?? (env.MLMON_LISTEN?.trim() || undefined),
    // systemd gives several folders separated by colons; the first is the unit's own
    stateDir: options.stateDir ?? (env.MLMON_STATE_DIR?.trim() || env.STATE_DIRECTORY?.split(":")[0] || undefined),
    warnings: loaded.warnings,
  });
}

const names = ["mlmon.config.ts", "mlmon.config.mts", "mlmon.config.js", "mlmon.config.mjs"];

interface Loaded {
  readonly config: unknown;
  readonly warnings: readonly string[];
}

async function fromEnvironment(env: Env): Promise<Loaded> {
  const { originalConfig, secretVariable } = await import("./original.ts");
  const issues: Issue[] = [];
  const settings = environmentSettings(env, issues);
  if (issues.length > 0) throw new ConfigError('Cannot use the configuration "environment"', issues);
  const token = secretVariable("MLMON_TOKEN", env);
  return { config: { ...originalConfig(settings), ...(token && { server: { token } }) }, warnings: [] };
}

async function fromFile(file: string, cwd: string, env: Env): Promise<Loaded> {
  const path = resolve(cwd, file);
  if (/^\.ya?ml$/.test(extname(path))) return fromYaml(file, path, env);
  return { config: await exported(file, await imported(file, path)), warnings: [] };
}

/** Variables win over the file. */
async function fromYaml(file: string, path: string, env: Env): Promise<Loaded> {
  const { yamlSettings } = await import("./yaml.ts");
  const { originalConfig, secretVariable } = await import("./original.ts");
  const { settings, warnings } = yamlSettings(readFileSync(path, "utf8"), file);
  const issues: Issue[] = [];
  const variables = Object.entries(environmentSettings(env, issues)).filter(([, value]) => value !== undefined);
  if (issues.length > 0) throw new ConfigError(`Cannot use the configuration "${file}"`, issues);
  const token = secretVariable("MLMON_TOKEN", env);
  const config = originalConfig({ ...settings, ...Object.fromEntries(variables) });
  return { config: { ...config, ...(token && { server: { token } }) }, warnings };
}

async function imported(file: string, path: string): Promise<Record<string, unknown>> {
  try {
    return await loadModule(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot read the configuration "${file}": ${explain(cause)}`, [], { cause });
  }
}

async function exported(file: string, module: Record<string, unknown>): Promise<unknown> {
  if (!("default" in module)) {
    throw new ConfigError(
      `Cannot use the configuration "${file}": it exports no default; write export default defineConfig({ … })`,
    );
  }
  try {
    const value = await module.default;
    return typeof value === "function" ? await value() : value;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot use the configuration "${file}": its function failed: ${explain(cause)}`, [], {
      cause,
    });
  }
}

/** The first line of what the runtime says, with the place when it names one. */
function explain(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.map(explain).join("; ");
  if (!(cause instanceof Error) && typeof cause === "object" && cause !== null && "message" in cause)
    return place(cause);
  return cause instanceof Error ? place(cause) : String(cause);
}

function place(error: object): string {
  const message = String(Reflect.get(error, "message")).split("\n")[0] ?? "";
  const position: unknown = Reflect.get(error, "position");
  if (typeof position !== "object" || position === null || !("line" in position)) return message;
  return `line ${position.line}: ${message}`;
}
