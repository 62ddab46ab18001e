import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../beds/wait.ts";
import type { ProxyAct, ProxyScript } from "./mlflow-proxy.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** Everything that MLflow may answer instead of its data, and an MLflow that does not answer. */
export const mlflowTrouble: readonly Scenario[] = [
  { name: "mlflow-stopped", world: { ownMlflow: true }, trouble: stopped },
  { name: "mlflow-unreachable", trouble: unreachable },
  answers("429", { status: 429, body: "slow down" }),
  answers("500", { status: 500, body: '{"error_code":"INTERNAL_ERROR","message":"database is locked"}' }),
  answers("503", { status: 503, type: "text/plain", body: "upstream connect error" }),
  answers("html", { status: 200, type: "text/html", body: "<!doctype html><title>Sign in</title>" }),
  answers("cut", "cut"),
  answers("hang", "hang"),
  { name: "mlflow-half-a-json", trouble: (world) => scripted(world, halfJson) },
  { name: "mlflow-empty-history-with-token", trouble: (world) => scripted(world, emptyWithToken("get-history?")) },
  { name: "mlflow-empty-runs-with-token", trouble: (world) => scripted(world, emptyWithToken("runs/search")) },
  { name: "mlflow-same-token-for-ever", trouble: (world) => scripted(world, sameToken, 20) },
  { name: "mlflow-page-takes-a-minute", world: { sourceTimeout: "90s" }, trouble: slowPage },
  { name: "mlflow-database-locked", world: { ownMlflow: true }, trouble: locked },
];

function answers(name: string, act: ProxyAct): Scenario {
  return { name: `mlflow-${name}`, trouble: (world) => scripted(world, () => act) };
}

/** Follows a script until it has struck so often; then MLflow is well again. */
async function scripted({ proxy }: World, script: ProxyScript, times = 6): Promise<void> {
  proxy.follow(script);
  await until(() => proxy.troubled >= times, 60_000, `${times} requests to MLflow`);
  proxy.follow();
}

const halfJson: ProxyScript = async (_asked, real) => {
  const { status, body } = await real();
  return { status, body: body.slice(0, Math.ceil(body.length / 2)) };
};

/** A page without a row but with a token, as MLflow 3.1.1 to 3.13 gives at the end of a history. */
function emptyWithToken(path: string): ProxyScript {
  return (asked) => {
    const body =
      path === "runs/search" ? { runs: [], next_page_token: "more" } : { metrics: [], next_page_token: "more" };
    return asked.path.includes(path) ? { status: 200, body: JSON.stringify(body) } : undefined;
  };
}

/** Every list goes on for ever, with the same rows and the same token. */
const sameToken: ProxyScript = async ({ path }, real) => {
  if (!/search|get-history/.test(path)) return undefined;
  const { status, body } = await real();
  if (status !== 200 || !body.startsWith("{")) return undefined;
  const answer: unknown = JSON.parse(body);
  return { status, body: JSON.stringify({ ...(typeof answer === "object" && answer), next_page_token: "again" }) };
};

async function slowPage({ proxy }: World): Promise<void> {
  let late = false;
  proxy.follow(async ({ path }) => {
    if (!late && path.includes("get-history")) {
      late = true;
      await sleep(60_000);
      late = true;
    }
    return undefined;
  });
  await until(() => late, 60_000, "a page to be asked for");
}

/** The process ends and is started again, with what was written to its store before. */
async function stopped({ server, mlmon }: World): Promise<void> {
  await server?.stop();
  await until(async () => (await mlmon.status())?.sources[0]?.state === "failing", 60_000, "the source to fail");
  await server?.start();
}

async function unreachable({ proxy, mlmon }: World): Promise<void> {
  await proxy.close();
  await until(async () => (await mlmon.status())?.sources[0]?.state === "failing", 60_000, "the source to fail");
  await proxy.open();
}

/** MLflow waits for its database, longer than mlmon waits for MLflow. */
async function locked({ server, mlmon }: World): Promise<void> {
  const unlock = server?.lock();
  await until(async () => (await mlmon.status())?.sources[0]?.state === "failing", 60_000, "the source to fail");
  unlock?.();
}

/** Gives each history so late that a first reading takes seconds. */
export function slowHistories(ms: number): ProxyScript {
  return async ({ path }) => {
    if (path.includes("get-history")) await sleep(ms);
    return undefined;
  };
}
