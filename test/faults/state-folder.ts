import { cp, rename, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, until } from "../beds/wait.ts";
import { lackOfMounts } from "./namespace.ts";
import type { Scenario } from "./scenario.ts";
import { flows, type World } from "./world.ts";

const mounted: Partial<Scenario> = {
  world: { stateBytes: 128 * 1024 ** 2 },
  lacking: async () => lackOfMounts(),
};

/** What may happen to the folder that holds all that has to survive. */
export const stateFolder: readonly Scenario[] = [
  { name: "state-disk-low", ...mounted, trouble: low },
  { name: "state-disk-full", ...mounted, trouble: full },
  { name: "state-read-only", ...mounted, trouble: readOnly },
  { name: "state-removed", mayDouble: "all", trouble: removed },
  { name: "state-of-a-moment-before", mayDouble: "all", mayGoBack: true, trouble: oldCopy },
  { name: "state-of-a-newer-version", trouble: newer },
  { name: "state-in-use", trouble: inUse },
];

/** Less room than mlmon keeps in reserve: it stops reading and says so. */
async function low({ mount, mlmon }: World): Promise<void> {
  await mount?.fill(20 * 1024 ** 2);
  await until(async () => (await mlmon.status())?.sources[0]?.state === "full", 60_000, "the source to pause");
  await mount?.free();
}

/** No room at all, from one moment to the next. */
async function full(world: World): Promise<void> {
  for (let time = 0; time < 3; time++) {
    await flows(world);
    const from = world.mlmon.log.length;
    await world.mount?.fill(0);
    const said = () => world.mlmon.log.slice(from).some((line) => /(disk|journal) is full/.test(line));
    await until(said, 60_000, "mlmon to say that the disk is full");
    await sleep(world.random.between(0, 2000));
    await world.mount?.free();
  }
}

/** No system lets a folder become read-only under files that are open for writing: so it is at the start. */
async function readOnly(world: World): Promise<void> {
  await world.mlmon.stop();
  world.mount?.setReadOnly(true);
  await refuses(world, /Cannot write to the state folder ".*"/);
  world.mount?.setReadOnly(false);
  world.mlmon.start();
}

/** Under a running mlmon, which is then started anew: all it knew is gone, and it reads MLflow from the start. */
async function removed(world: World): Promise<void> {
  await rm(world.state, { recursive: true });
  await flows(world);
  const { log } = world.mlmon;
  await until(() => log.some((line) => /state folder .* was removed or replaced/.test(line)), 10_000, "an ERROR");
  await world.mlmon.stop();
  world.mlmon.start();
}

/** What a power cut leaves: a state of some moment before, without the end of what was not synced yet. */
async function oldCopy(world: World): Promise<void> {
  const { state, mlmon, random } = world;
  const copy = `${state}-copy`;
  for (let cut = 0; cut < 5; cut++) {
    await flows(world);
    await sleep(random.between(0, 700));
    // All of one moment: what a copy takes while mlmon writes never stood on any disk.
    mlmon.signal("SIGSTOP");
    await cp(state, copy, { recursive: true });
    mlmon.signal("SIGCONT");
    await flows(world);
    await mlmon.kill();
    const wal = join(copy, "journal.db-wal");
    const size = (await stat(wal).catch(() => undefined))?.size;
    if (size !== undefined && cut > 0) await truncate(wal, random.between(0, size));
    await rm(state, { recursive: true });
    await rename(copy, state);
    mlmon.start();
  }
}

async function newer(world: World): Promise<void> {
  await world.mlmon.kill();
  const path = join(world.state, "journal.db");
  const version = setVersion(path, 99);
  await refuses(world, /Cannot open the journal ".*journal\.db" as .*version of mlmon wrote it/);
  setVersion(path, version);
  world.mlmon.start();
}

async function inUse(world: World): Promise<void> {
  const pid = world.mlmon.pid();
  const second = world.another(await freePort());
  second.start();
  const status = await second.ended();
  const said = second.log.join("\n");
  if (status !== 1 || !said.includes(`another mlmon uses it: process ${pid}`)) {
    throw new Error(`A second mlmon has ended with ${status} and said: ${said}`);
  }
  await flows(world);
}

/** Starts mlmon, which must end with status 1 and these words. */
async function refuses({ mlmon }: World, words: RegExp): Promise<void> {
  const from = mlmon.log.length;
  mlmon.start();
  const status = await mlmon.ended();
  const said = mlmon.log.slice(from).join("\n");
  if (status !== 1 || !words.test(said)) throw new Error(`mlmon has ended with ${status} and said: ${said}`);
}

/** Returns the one before. */
function setVersion(path: string, version: number): number {
  const db = new DatabaseSync(path);
  const before = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  db.exec(`PRAGMA user_version = ${version}`);
  db.close();
  return before;
}
