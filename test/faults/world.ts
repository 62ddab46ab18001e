import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { type Arrivals, pramathusPoints, readArrivals, tallyPoints } from "./arrivals.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { configText, tallyText } from "./config-text.ts";
import { type MlflowProxy, startProxy } from "./mlflow-proxy.ts";
import { type MlflowRest, mlflowRest } from "./mlflow-rest.ts";
import { createMlmon, type Mlmon, type StartOptions } from "./mlmon.ts";
import { hostName, type OwnHosts, ownHosts } from "./namespace.ts";
import { type OwnMlflow, startOwnMlflow } from "./own-mlflow.ts";
import { type PageWatch, scrape, watchPage } from "./pages.ts";
import { createRandom, type Random } from "./random.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import type { Scenario } from "./scenario.ts";
import { mountState, type StateMount } from "./state-mount.ts";
import { createTrainings, type Trainings } from "./trainings.ts";

/** Everything around one mlmon, in which one scenario plays. */
export interface World {
  readonly random: Random;
  readonly folder: string;
  /** The state folder of mlmon. */
  readonly state: string;
  readonly mlmon: Mlmon;
  readonly mlflow: MlflowRest;
  readonly proxy: MlflowProxy;
  readonly trainings: Trainings;
  readonly receivers: Readonly<Record<ReceiverName, Receiver>>;
  readonly arrivals: Readonly<Record<PointsSink, Arrivals>>;
  /** Of a world that wishes `ownMlflow`. */
  readonly server: OwnMlflow | undefined;
  /** Of a world that wishes `stateBytes`. */
  readonly mount: StateMount | undefined;
  /** A second mlmon on the same configuration and state folder, not started yet. */
  another(port: number): Mlmon;
  /** Of a world that wishes `https`. */
  readonly certificates: Certificates | undefined;
  /** Of a world that wishes `ownHosts`; the name is known. */
  readonly hosts: OwnHosts | undefined;
  readonly pages: Readonly<Record<"pushgateway" | "prometheus", PageWatch>>;
  /** Added to MLflow's clock as mlmon sees it, ms. */
  shiftMs: number;
  /** Ends everything and removes the folder. */
  close(): Promise<void>;
}

export type ReceiverName = "pramathus" | "tally" | "gateway";
export type PointsSink = "pramathus" | "tally";
export type JudgedSink = PointsSink | "pushgateway" | "prometheus";

/** What the worlds of all scenarios share. */
export interface Surroundings {
  readonly seed: number;
  /** The address of a real MLflow. */
  readonly mlflow: string;
  /** The Python of MLflow's environment, which has its `mlflow` beside it. */
  readonly python: string;
  readonly binary: string;
}

/** Builds a world; the trainings have some history, and mlmon is not started yet. */
export async function openWorld(scenario: Scenario, { seed, binary, ...shared }: Surroundings): Promise<World> {
  const { path: folder } = await temporaryFolder();
  const { https = false, ownHosts: named = false, ownMlflow, stateBytes, sourceTimeout = "3s" } = scenario.world ?? {};
  const server = ownMlflow ? await startOwnMlflow(shared.python) : undefined;
  const url = server?.url ?? shared.mlflow;
  const state = join(folder, "state");
  const mlflow = mlflowRest(url);
  const name = `faults ${scenario.name} ${seed} ${Date.now()}`;
  const trainings = await createTrainings(mlflow, name);
  await trainings.write(scenario.world?.history ?? 100);
  const certificates = https ? await makeCertificates(folder) : undefined;
  const hosts = named ? ownHosts(folder) : undefined;
  hosts?.know(true);
  const receivers = {
    pramathus: await startReceiver(certificates?.right),
    tally: await startReceiver(),
    gateway: await startReceiver(),
  };
  const proxy = await startProxy(url, () => world.shiftMs);
  const config = join(folder, "mlmon.config.ts");
  await writeFile(join(folder, "tally.ts"), tallyText);
  const { pramathus, tally, gateway } = receivers;
  const places = {
    pramathus: named ? pramathus.url.replace("127.0.0.1", hostName) : pramathus.url,
    tally: tally.url,
    gateway: gateway.url,
  };
  await writeFile(config, configText({ mlflow: proxy.url, experiment: name, sourceTimeout, ...places }));
  await mkdir(state, { mode: 0o700 });
  const mount = stateBytes === undefined ? undefined : mountState(state, stateBytes);
  const always: StartOptions = {
    ...(hosts && { prefix: hosts.prefix }),
    ...(certificates && { env: { NODE_EXTRA_CA_CERTS: certificates.authority } }),
  };
  const another = (port: number) => createMlmon({ always, binary, config, state, port, folder });
  const mlmon = another(await freePort());
  const pages = { pushgateway: watchPage(), prometheus: watchPage() };
  const scraping = scrape(`${mlmon.url}/metrics`, pages.prometheus);
  const pushing = watchPushes(gateway, pages.pushgateway);

  const world: World = {
    random: createRandom(seed, scenario.name),
    folder,
    state,
    mlmon,
    mlflow,
    proxy,
    trainings,
    receivers,
    arrivals: {
      pramathus: readArrivals(pramathus, pramathusPoints),
      tally: readArrivals(tally, tallyPoints),
    },
    server,
    mount,
    another,
    certificates,
    hosts,
    pages,
    shiftMs: 0,
    async close() {
      await trainings.rest().catch(() => undefined);
      mlmon.signal("SIGCONT");
      await mlmon.kill();
      clearInterval(pushing);
      await scraping.stop();
      await Promise.all([pramathus, tally, gateway, proxy].map((each) => each.close()));
      await server?.remove();
      mount?.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** Starts mlmon and the writing, and waits until something has arrived everywhere. */
export async function begin(world: World, everyMs?: number): Promise<void> {
  world.mlmon.start();
  world.trainings.go(everyMs);
  await flows(world);
}

/** Waits until every receiver has taken something more than it has now. */
export async function flows({ receivers, mlmon }: World, deadlineMs = 60_000): Promise<void> {
  const all = Object.entries(receivers).map(([name, receiver]) => ({ name, receiver, had: receiver.taken.length }));
  for (const { name, receiver, had } of all) {
    await until(() => receiver.taken.length > had, deadlineMs, `${name} to take something`).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}\n${mlmon.log.slice(-10).join("\n")}`);
    });
  }
}

function watchPushes(gateway: Receiver, watch: PageWatch): NodeJS.Timeout {
  let seen = 0;
  return setInterval(() => {
    for (; seen < gateway.taken.length; seen++) watch.see(gateway.taken[seen]?.body ?? "");
  }, 100);
}
