import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../beds/wait.ts";
import { hang, late } from "./acts.ts";
import { lackOfMemoryLimit, memoryLimit } from "./memory-limit.ts";
import { slowHistories } from "./mlflow-trouble.ts";
import { always } from "./receiver.ts";
import type { Scenario } from "./scenario.ts";
import { flows, type World } from "./world.ts";

/** Everything that may happen to the process; `count` times for the ends by SIGKILL. */
export function killings(count: number): readonly Scenario[] {
  return [
    { name: `sigkill-${count}-times`, trouble: (world) => killed(world, count) },
    { name: "sigkill-amid-the-first-reading", world: { history: 2000 }, startsItself: true, trouble: killedAtFirst },
    { name: "sigterm-amid-a-delivery", trouble: stoppedAmidDelivery },
    { name: "sigterm-while-receivers-hang", trouble: stoppedWhileHanging },
    { name: "sigterm-amid-the-first-reading", world: { history: 2000 }, startsItself: true, trouble: stoppedAtFirst },
    { name: "sigterm-twice", trouble: stoppedTwice },
    { name: "sigstop-for-a-minute", world: { everyMs: 1000 }, trouble: (world) => suspended(world, 60_000) },
    { name: "sigstop-often", trouble: suspendedOften },
    { name: "out-of-memory", lacking: async () => lackOfMemoryLimit(), trouble: outOfMemory },
  ];
}

/** At any moment, that of its start too. */
async function killed(world: World, count: number): Promise<void> {
  const { mlmon, random, receivers } = world;
  // Each takes its time, so that most kills strike while something is on its way.
  for (const receiver of Object.values(receivers)) receiver.follow(always(late(150)));
  for (let kill = 0; kill < count; kill++) {
    await sleep(random.between(0, 1500));
    await mlmon.kill();
    mlmon.start();
  }
  for (const receiver of Object.values(receivers)) receiver.follow();
}

/** Before it has read anything, and amid the delivery of what it has read first. */
async function killedAtFirst(world: World): Promise<void> {
  for (const receiver of Object.values(world.receivers)) receiver.follow(always(late(30)));
  await amidTheFirstReading(world, 8, async () => {
    await sleep(world.random.between(100, 1800));
    await world.mlmon.kill();
  });
  for (const receiver of Object.values(world.receivers)) receiver.follow();
}

/** Starts mlmon again and again on an MLflow so slow that not all of it has arrived before an `end`. */
async function amidTheFirstReading(world: World, times: number, end: () => Promise<void>): Promise<void> {
  const { mlmon, proxy, trainings, arrivals } = world;
  proxy.follow(slowHistories(400));
  let amid = 0;
  for (let time = 0; time < times; time++) {
    mlmon.start();
    await end();
    if (arrivals.tally.distinct() < trainings.written()) amid += 1;
  }
  if (amid === 0) throw new Error("All had arrived before it was ended for the first time");
  proxy.follow();
  mlmon.start();
  trainings.go();
}

async function stoppedAmidDelivery(world: World): Promise<void> {
  const { mlmon, receivers, random } = world;
  for (let stop = 0; stop < 4; stop++) {
    await flows(world);
    for (const receiver of Object.values(receivers)) receiver.follow(always(late(500)));
    await until(() => receivers.pramathus.troubled > 0, 60_000, "a delivery");
    await sleep(random.between(0, 400));
    await endsWell(world);
    for (const receiver of Object.values(receivers)) receiver.follow();
    mlmon.start();
  }
}

/** What hangs cannot be finished: mlmon leaves it for its next life and ends in order. */
async function stoppedWhileHanging(world: World): Promise<void> {
  const { mlmon, receivers } = world;
  for (const receiver of Object.values(receivers)) receiver.follow(always(hang({ stores: false })));
  await until(() => receivers.tally.troubled > 0, 60_000, "a delivery");
  await endsWell(world);
  for (const receiver of Object.values(receivers)) receiver.follow();
  mlmon.start();
}

async function stoppedAtFirst(world: World): Promise<void> {
  await amidTheFirstReading(world, 4, async () => {
    await until(async () => (await world.mlmon.status()) !== undefined, 60_000, "mlmon to answer");
    await sleep(world.random.between(0, 400));
    await endsWell(world);
  });
}

/** The second signal ends it at once, so that it is as good as a kill; sooner than in half a second it is the same. */
async function stoppedTwice(world: World): Promise<void> {
  const { mlmon, receivers, random } = world;
  const before = mlmon.kills;
  for (let stop = 0; stop < 4; stop++) {
    await flows(world);
    for (const receiver of Object.values(receivers)) receiver.follow(always(late(900)));
    await until(() => receivers.pramathus.troubled > 0, 60_000, "a delivery");
    mlmon.signal("SIGTERM");
    await sleep(random.between(550, 850));
    mlmon.signal("SIGTERM");
    if ((await mlmon.ended()) !== 0) mlmon.countKill();
    for (const receiver of Object.values(receivers)) receiver.follow();
    mlmon.start();
  }
  if (mlmon.kills === before) throw new Error("The first signal has ended it each time");
}

async function suspended({ mlmon, random }: World, ms: number): Promise<void> {
  await sleep(random.between(0, 500));
  mlmon.signal("SIGSTOP");
  await sleep(ms);
  mlmon.signal("SIGCONT");
}

async function suspendedOften(world: World): Promise<void> {
  for (let time = 0; time < 6; time++) await suspended(world, world.random.between(100, 3000));
}

/** Lives within bounds that are too narrow, chosen at random, until the kernel ends it. */
async function outOfMemory(world: World): Promise<void> {
  const { mlmon, random } = world;
  const limit = memoryLimit(String(random.between(0, 1e9)));
  try {
    let ends = 0;
    for (let life = 0; life < 8; life++) {
      await mlmon.kill();
      // What the kernel counts is less than what is resident: the program's own file is not part of it.
      limit.set(random.between(10, 32) * 1024 ** 2);
      mlmon.start({ prefix: limit.prefix });
      const status = await Promise.race([mlmon.ended(), sleep(4000)]);
      if (status !== undefined) ends += 1;
      if (status !== undefined) mlmon.countKill();
      await world.trainings.write(20);
    }
    if (ends === 0) throw new Error("The kernel has let it live within all bounds: choose narrower ones");
  } finally {
    await mlmon.kill();
    limit.remove();
  }
  mlmon.start();
}

async function endsWell({ mlmon }: World): Promise<void> {
  const status = await mlmon.stop();
  if (status !== 0) throw new Error(`mlmon has ended with ${status} after SIGTERM`);
}
