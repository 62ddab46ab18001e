import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../beds/wait.ts";
import { slowHistories } from "./mlflow-trouble.ts";
import type { Scenario } from "./scenario.ts";
import { flows, type World } from "./world.ts";

/** What may become of runs while they are read, and of MLflow's clock. */
export const mlflowLife: readonly Scenario[] = [
  { name: "mlflow-clock-an-hour-ahead", trouble: (world) => clock(world, 3_600_000) },
  { name: "mlflow-clock-an-hour-behind", trouble: (world) => clock(world, -3_600_000) },
  { name: "runs-end-and-resume", trouble: endAndResume },
  { name: "runs-deleted-and-restored", trouble: deleteAndRestore },
  { name: "runs-deleted-amid-the-first-reading", world: { history: 2000 }, startsItself: true, trouble: deleteAmid },
];

/** The clock is wrong while a run ends, is written to once more and goes on. */
async function clock(world: World, shiftMs: number): Promise<void> {
  world.shiftMs = shiftMs;
  await flows(world);
  const [run = ""] = world.trainings.runs;
  await world.mlflow.setStatus(run, "FINISHED", Date.now() + shiftMs);
  await shows(world, run, "finished");
  await world.mlflow.setStatus(run, "RUNNING");
  await shows(world, run, "running");
  world.shiftMs = 0;
}

async function endAndResume(world: World): Promise<void> {
  for (const run of world.trainings.runs) {
    // The training goes on writing into the run that has ended, as some do.
    await world.mlflow.setStatus(run, "FINISHED", Date.now());
    await shows(world, run, "finished");
    await world.mlflow.setStatus(run, "RUNNING");
    await shows(world, run, "running");
  }
}

/** Waits until mlmon has seen it, as otherwise nothing has happened to it. */
async function shows({ mlmon }: World, run: string, status: string): Promise<void> {
  const isShown = async () => {
    const page = await fetch(`${mlmon.url}/metrics`).then((answer) => answer.text());
    return page.split("\n").some((line) => line.includes(`run_uuid="${run}"`) && line.includes(`status="${status}"`));
  };
  await until(isShown, 60_000, `the page to show that ${run} is ${status}`);
}

async function deleteAndRestore(world: World): Promise<void> {
  for (const run of world.trainings.runs) {
    await flows(world);
    await world.trainings.rest();
    await world.mlflow.deleteRun(run);
    const gone = () => ![...world.pages.prometheus.values().keys()].some((series) => series.endsWith(run.slice(0, 8)));
    await until(gone, 60_000, "the run to leave the page");
    await world.mlflow.restoreRun(run);
    world.trainings.go();
  }
}

/** Takes runs away while they are read for the first time, for so long that mlmon misses them, and gives them back. */
async function deleteAmid({ mlmon, mlflow, proxy, trainings, arrivals, random }: World): Promise<void> {
  const slow = slowHistories(1000);
  let asked = 0;
  proxy.follow((request, real) => {
    if (request.path.includes("get-history")) asked += 1;
    return slow(request, real);
  });
  mlmon.start();
  for (const run of trainings.runs) {
    const before = asked;
    await until(() => asked > before, 60_000, "a history to be asked for");
    await sleep(random.between(0, 500));
    await mlflow.deleteRun(run);
    await sleep(random.between(0, 1500));
    await mlflow.restoreRun(run);
    await trainings.write(50);
  }
  if (arrivals.pramathus.distinct() === trainings.written()) throw new Error("It has read everything meanwhile");
  proxy.follow();
  trainings.go();
}
