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

/** The names a user may have meant by one of mlmon's that is not there. */
export function unknownHostModule(name: string): Error {
  const names = Object.keys(hostModules).filter((known) => known.startsWith("mlmon"));
  return new Error(`"${name}" is not part of mlmon: expected one of ${names.map((known) => `"${known}"`).join(", ")}`);
}
