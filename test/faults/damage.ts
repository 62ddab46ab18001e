import { mkdir, open, readdir, rename, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../beds/wait.ts";
import type { Scenario } from "./scenario.ts";
import { flows, type World } from "./world.ts";

/**
 * A journal that is not what mlmon has written. It must either be refused by a clear error that names the file, and
 * then a human moves it away, as the error says; or nothing may be lost without that.
 */
export const damages: readonly Scenario[] = [
  damage("truncated", "journal.db", cutOff),
  damage("with-flipped-bytes", "journal.db", flip),
  damage("with-a-truncated-wal", "journal.db-wal", cutOff),
  damage("with-flipped-bytes-in-its-wal", "journal.db-wal", flip),
];

type Spoil = (path: string, world: World) => Promise<void>;

function damage(name: string, file: string, spoil: Spoil): Scenario {
  return {
    name: `journal-${name}`,
    mayDouble: "all",
    mayGoBack: true,
    trouble: (world) => spoiled(world, file, spoil),
  };
}

async function spoiled(world: World, file: string, spoil: Spoil): Promise<void> {
  const { mlmon, state, receivers, random } = world;
  for (let round = 0; round < 6; round++) {
    await flows(world);
    // A sink that is away leaves something in the journal that can be damaged.
    await receivers.tally.close();
    await sleep(random.between(500, 1500));
    // At an orderly end all of the wal goes into the file of the journal.
    await (file === "journal.db" ? mlmon.stop() : mlmon.kill());
    await spoil(join(state, file), world);
    await receivers.tally.open();
    const from = mlmon.log.length;
    mlmon.start();
    await untilMended(world, from, round);
  }
}

/** Waits until all flows again, or until mlmon names the journal: then a human moves it away, as the error says. */
async function untilMended({ mlmon, state, receivers }: World, from: number, round: number): Promise<void> {
  const all = Object.values(receivers).map((receiver) => ({ receiver, had: receiver.taken.length }));
  const flowing = () => all.every(({ receiver, had }) => receiver.taken.length > had);
  const complaint = () =>
    mlmon.log.slice(from).find((line) => /Cannot (read|open|use) the journal \\?".*journal\.db/.test(line));
  await until(() => complaint() !== undefined || flowing(), 60_000, "mlmon to complain or to deliver");
  if (complaint() === undefined) return;
  await mlmon.kill();
  await moveAway(state, round);
  mlmon.start();
}

/** As the message says; the files go together. */
async function moveAway(state: string, round: number): Promise<void> {
  const away = `${state}-damaged-${round}`;
  await mkdir(away);
  for (const name of await readdir(state)) {
    if (name.startsWith("journal.db")) await rename(join(state, name), join(away, name));
  }
}

async function cutOff(path: string, { random }: World): Promise<void> {
  const size = (await stat(path).catch(() => undefined))?.size;
  if (size) await truncate(path, random.between(0, size - 1));
}

/** One byte to some dozens, anywhere. */
async function flip(path: string, { random }: World): Promise<void> {
  const file = await open(path, "r+").catch(() => undefined);
  if (!file) return;
  try {
    const { size } = await file.stat();
    for (let count = random.pick([1, 4, 40]); count > 0 && size > 0; count--) {
      const at = random.between(0, size - 1);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      byte[0] = (byte[0] ?? 0) ^ random.between(1, 255);
      await file.write(byte, 0, 1, at);
    }
  } finally {
    await file.close();
  }
}
