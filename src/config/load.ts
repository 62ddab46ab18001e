import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { ConfigError, type Issue, UsageError } from "../model/errors.ts";
import { secret } from "../model/secret.ts";
import { guardLoop } from "../runtime/guard-loop.ts";
import { loadModule } from "../runtime/load-module.ts";
import { environmentSettings, variables } from "./environment.ts";
import { expand } from "./expand.ts";
import { explain } from "./explain.ts";
import type { Env } from "./original.ts";
import { authVariable, strayVariables } from "./own-variables.ts";
import { type ResolveOptions, resolveConfig, type SecretsCheck } from "./resolve.ts";
import type { ResolvedConfig } from "./resolved.ts";
import { withoutExit } from "./without-exit.ts";
import type { Expand } from "./yaml.ts";
import { yamlKeys } from "./yaml-keys.ts";

/** Where a configuration is looked for and what wins over it. */
export interface LoadOptions {
  /** `--config`; else the first of `mlmon.config.ts` (`.mts .js .mjs`) in `cwd`, else the environment. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly env: Env;
  readonly secrets: SecretsCheck;
  /** `--listen`. */
  readonly listen?: string | undefined;
  /** `--state`. */
  readonly stateDir?: string | undefined;
  /** Called with each file that was read, also when loading fails: what `--watch` watches. */
  readonly onFile?: (path: string) => void;
  /** How long the file's promises may take to settle; 30 s by default. */
  readonly patienceMs?: number;
  /** Whether a second thread ends the process when the file loops for so long; true by default. */
  readonly guarded?: boolean;
}

/** Finds, loads and checks the configuration; throws a `ConfigError` that names every mistake at once. */
export async function loadConfig(options: LoadOptions): Promise<ResolvedConfig> {
  const { cwd } = options;
  const file = options.file ?? names.find((name) => existsSync(resolve(cwd, name)));
  if (file !== undefined && !existsSync(resolve(cwd, file))) {
    throw new UsageError(
      `Cannot find the configuration "${file}": give the path of a file, or make one with mlmon init`,
    );
  }
  const { patienceMs = defaultPatienceMs, guarded = true } = options;
  const work = () => loadFrom(file, options);
  if (file === undefined || isYaml(file) || !guarded) return work();
  const words = `mlmon: Cannot read the configuration "${file}": it has not given back control for ${patienceMs / 1000} s, as an endless loop would`;
  return guardLoop(work, { patienceMs, words });
}

const defaultPatienceMs = 30_000;

async function loadFrom(file: string | undefined, options: LoadOptions): Promise<ResolvedConfig> {
  const { cwd, env, secrets } = options;
  const loaded = file === undefined ? await fromEnvironment(options) : await fromFile(file, options);
  const listen = options.listen ?? (env.MLMON_LISTEN?.trim() || undefined);
  const listenName = options.listen === undefined ? "MLMON_LISTEN" : "--listen";
  const issues: Issue[] = [...(loaded.issues ?? [])];
  const settings: ResolveOptions = {
    ...loaded,
    names: { ...loaded.names, ...(listen !== undefined && { "server.listen": listenName }) },
    origin: file ?? "environment",
    secrets,
    listen,
    // systemd gives several folders separated by colons; the first is the unit's own
    stateDir: options.stateDir ?? (env.MLMON_STATE_DIR?.trim() || env.STATE_DIRECTORY?.split(":")[0] || undefined),
    token: env.MLMON_TOKEN?.trim() ? secret.env("MLMON_TOKEN") : undefined,
    auth: authVariable(env, issues),
    issues,
    warnings: [...(loaded.warnings ?? []), ...strayVariables(env)],
  };
  try {
    return resolveConfig(loaded.config, settings);
  } catch (cause) {
    if (file === undefined || cause instanceof ConfigError) throw cause;
    // What is read of a user's values may be code of theirs, or nested without end.
    const reason = explain(cause, resolve(cwd, file));
    throw new ConfigError(`Cannot use the configuration "${file}": it failed: ${reason}`, [], { cause });
  }
}

const names = ["mlmon.config.ts", "mlmon.config.mts", "mlmon.config.js", "mlmon.config.mjs"];

/** A configuration as it was read, with what `resolveConfig` is to know of it. */
interface Loaded extends Pick<ResolveOptions, "issues" | "names" | "warnings"> {
  readonly config: unknown;
}

const yamlNames = ["config.yaml", "config.yml"];

async function fromEnvironment({ env, cwd }: LoadOptions): Promise<Loaded> {
  const { originalConfig, originalNames } = await import("./original.ts");
  const issues: Issue[] = [];
  const unread = yamlNames.filter((name) => existsSync(resolve(cwd, name)));
  const warnings = unread.map((name) => ({
    path: name,
    message: `is not read unless it is named: --config ${name}`,
  }));
  return {
    config: originalConfig(environmentSettings(env, issues)),
    issues,
    names: originalNames(variables),
    warnings,
  };
}

async function fromFile(file: string, { cwd, env, ...options }: LoadOptions): Promise<Loaded> {
  const { patienceMs = defaultPatienceMs, onFile = () => {} } = options;
  const path = resolve(cwd, file);
  const stats = statSync(path);
  if (stats.isDirectory()) {
    throw new ConfigError(`Cannot read the configuration "${file}": it is a folder; give the file in it`);
  }
  // To read a pipe to which nobody writes would never end.
  if (!stats.isFile()) throw new ConfigError(`Cannot read the configuration "${file}": it is no plain file`);
  onFile(path);
  if (isYaml(path)) return fromYaml(file, path, env);
  const user = { file, path, patienceMs, onFile };
  return { config: await withoutExit(async () => exported(user, await imported(user))) };
}

function isYaml(path: string): boolean {
  return /^\.ya?ml$/.test(extname(path));
}

/** That no key comes twice takes the square of the time; no configuration is near it. */
const maxYamlBytes = 256 * 1024;

/** Variables win over the file, which may also name others: `${NAME}`. */
async function fromYaml(file: string, path: string, env: Env): Promise<Loaded> {
  const { yamlSettings } = await import("./yaml.ts");
  const { originalConfig, originalNames } = await import("./original.ts");
  if (statSync(path).size > maxYamlBytes) {
    throw new ConfigError(`Cannot read the configuration "${file}": it is larger than ${maxYamlBytes / 1024} KiB`);
  }
  const issues: Issue[] = [];
  const found = Object.entries(environmentSettings(env, issues)).filter(([, value]) => value !== undefined);
  const variable = Object.fromEntries(found);
  const won: readonly string[] = Object.entries(yamlKeys).flatMap(([setting, key]) =>
    setting in variable ? [key] : [],
  );
  const put: Expand = (text, key, unset) => expand(text, env, key, won.includes(key) ? [] : unset);
  const { settings, warnings } = yamlSettings(readFileSync(path, "utf8"), file, issues, put);
  const set = Object.fromEntries(Object.entries(variables).filter(([setting]) => setting in variable));
  const names = originalNames({ ...yamlKeys, ...set });
  return { config: originalConfig({ ...settings, ...variable }), issues, names, warnings };
}

/** The file as the user named it, where it is, and how long it may take. */
interface UserFile {
  readonly file: string;
  readonly path: string;
  readonly patienceMs: number;
  readonly onFile: (path: string) => void;
}

async function imported({ file, path, patienceMs, onFile }: UserFile): Promise<Record<string, unknown>> {
  try {
    return await settled(loadModule(path, onFile), "a top-level await in it", patienceMs);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot read the configuration "${file}": ${explain(cause, path)}`, [], { cause });
  }
}

async function exported({ file, path, patienceMs }: UserFile, module: Record<string, unknown>): Promise<unknown> {
  if (!("default" in module)) {
    throw new ConfigError(
      `Cannot use the configuration "${file}": it exports no default; write export default defineConfig({ … })`,
    );
  }
  try {
    const value = await settled(module.default, "its promise", patienceMs);
    return typeof value === "function" ? await settled(value(), "the promise of its function", patienceMs) : value;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot use the configuration "${file}": it failed: ${explain(cause, path)}`, [], { cause });
  }
}

/** Waits for what a configuration computes, but not for ever. */
async function settled<T>(value: T | PromiseLike<T>, what: string, patienceMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${what} has not settled within ${patienceMs / 1000} s`;
    timer = setTimeout(() => reject(new Error(message)), patienceMs);
  });
  return Promise.race([value, late]).finally(() => clearTimeout(timer));
}
