import { nearest } from "../model/nearest.ts";

/**
 * What a user's file may import by name, wherever it lies. Literal imports only: a computed one is not bundled into the
 * binary.
 */
export const hostModules: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  mlmon: () => import("../index.ts"),
  "mlmon/prometheus": () => import("../prometheus/index.ts"),
  "mlmon/plugins/console": () => import("../../plugins/console.ts"),
  "mlmon/plugins/pramathus": () => import("../../plugins/pramathus.ts"),
  "mlmon/plugins/prometheus": () => import("../../plugins/prometheus.ts"),
  "mlmon/plugins/pushgateway": () => import("../../plugins/pushgateway.ts"),
  valibot: () => import("valibot"),
  hono: () => import("hono"),
  "hono/jsx": () => import("hono/jsx"),
  "hono/jsx/jsx-runtime": () => import("hono/jsx/jsx-runtime"),
  "hono/jsx/jsx-dev-runtime": () => import("hono/jsx/jsx-dev-runtime"),
};

const ownNames = Object.keys(hostModules).filter((name) => name.startsWith("mlmon"));

/** The names a user may have meant by one of mlmon's that is not there. */
export function unknownHostModule(name: string): Error {
  const near = nearest(name, ownNames);
  const mend = near ? `did you mean "${near}"?` : `expected one of ${ownNames.map((known) => `"${known}"`).join(", ")}`;
  return new Error(`"${name}" is not part of mlmon: ${mend}`);
}

/**
 * What to write instead of an import of something that a module of mlmon's does not export; other errors come back as
 * they are. Called with what a user's file has thrown.
 */
export async function explainMissingExport(error: unknown): Promise<unknown> {
  const { name, module } = missingExport(error instanceof Error ? error.message : "") ?? {};
  if (name === undefined || module === undefined || !Object.hasOwn(hostModules, module)) return error;
  const loaded = await Promise.all(ownNames.map(async (own) => ({ own, exports: (await hostModules[own]?.()) ?? {} })));
  const holder = loaded.find(({ exports }) => Object.hasOwn(exports, name));
  const near = nearest(name, Object.keys(loaded.find(({ own }) => own === module)?.exports ?? {}));
  const mend = holder
    ? `write import { ${name} } from "${holder.own}"`
    : near
      ? `did you mean "${near}"?`
      : "check the name";
  return new SyntaxError(`"${module}" has no export "${name}": ${mend}`, { cause: error });
}

/** In the words of Bun and of Deno. */
function missingExport(message: string): { readonly [part: string]: string } | undefined {
  const bun = /^export (?:named )?'(?<name>[^']+)' not found in (?:module )?'(?<module>[^']+)'/i.exec(message);
  const deno = /module '(?<module>[^']+)' does not provide an export named '(?<name>[^']+)'/.exec(message);
  return (bun ?? deno)?.groups;
}
