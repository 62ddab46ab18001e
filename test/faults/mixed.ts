import { setTimeout as sleep } from "node:timers/promises";
import { type Act, answer, endless, garbage, hang, late, reset, resetAmidAnswer, trickle } from "./acts.ts";
import type { ProxyAct } from "./mlflow-proxy.ts";
import type { Script } from "./receiver.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** Everything at once, as the seed wants it: receivers, MLflow and the process fail while the others do, too. */
export const mixed: readonly Scenario[] = [
  { name: "mixed", world: { everyMs: 300 }, trouble: (world) => mix(world, 40) },
  { name: "mixed-with-kills", world: { everyMs: 300 }, trouble: (world) => mix(world, 40, 0.3) },
  { name: "mixed-from-the-start", world: { history: 1000 }, startsItself: true, trouble: mixFromTheStart },
];

/** Changes something at random so many times; each change may be the mending of one before. */
async function mix(world: World, changes: number, kills = 0): Promise<void> {
  const { random, mlmon } = world;
  for (let change = 0; change < changes; change++) {
    const receiver = random.pick([world.receivers.pramathus, world.receivers.tally, world.receivers.gateway]);
    const dice = random.next();
    if (dice < kills) {
      await mlmon.kill();
      mlmon.start();
    } else if (dice < kills + 0.35 * (1 - kills)) receiver.follow();
    else if (dice < kills + 0.75 * (1 - kills)) receiver.follow(sometimes(world, random.pick(acts)));
    else troubleMlflow(world);
    await sleep(random.between(0, 1000));
  }
  for (const receiver of Object.values(world.receivers)) receiver.follow();
  world.proxy.follow();
}

async function mixFromTheStart(world: World): Promise<void> {
  world.mlmon.start();
  world.trainings.go(300);
  await mix(world, 25, 0.2);
}

/** Strikes at two of three requests, so that something gets through between the faults. */
function sometimes({ random: { fork } }: World, act: Act): Script {
  const random = fork();
  return ({ moment }) => (act.at.includes(moment) && random.next() < 0.66 ? act : undefined);
}

function troubleMlflow({ proxy, random }: World): void {
  const act = random.pick<ProxyAct | undefined>([
    undefined,
    { status: 503, body: "busy" },
    { status: 429, body: "slow down" },
    { status: 200, type: "text/html", body: "<h1>Sign in</h1>" },
    { status: 200, body: '{"runs": [' },
    "cut",
    "hang",
  ]);
  const own = random.fork();
  proxy.follow(() => (own.next() < 0.5 ? act : undefined));
}

/** What costs time but no sample. */
const acts: readonly [Act, ...Act[]] = [
  answer(408),
  answer(429),
  answer(500),
  answer(503),
  late(300),
  endless,
  garbage,
  hang({ stores: false }),
  hang({ stores: true }),
  reset("before"),
  reset("amid"),
  reset("after"),
  resetAmidAnswer,
  trickle,
];
