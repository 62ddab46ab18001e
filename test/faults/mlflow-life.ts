import { until } from "../beds/wait.ts";
import type { Scenario } from "./scenario.ts";
import { flows, type World } from "./world.ts";

/** What may become of runs while they are read, and of MLflow's clock. */
export const mlflowLife: readonly Scenario[] = [
  { name: "mlflow-clock-an-hour-ahead", trouble: (world) => clock(world, 3_600_000) },
  { name: "mlflow-clock-an-hour-behind", trouble: (world) => clock(world, -3_600_000) },
  { name: "runs-end-and-resume", trouble: endAndResume },
  { name: "runs-deleted-and-restored", trouble: deleteAndRestore },
  { name: "runs-deleted-amid-the-first-reading", world: { history: 2000 }, trouble: deleteAmid },
];

/** The clock is wrong while a run ends, is written to once more and goes on. */
async function clock(world: World, shiftMs: number): Promise<void> {
  world.shiftMs = shiftMs;
  await flows(world);
  const [run = ""] = world.trainings.runs;
  await world.mlflow.setStatus(run, "FINISHED", Date.now() + shiftMs);
  await flows(world);
  await world.mlflow.setStatus(run, "RUNNING");
  await flows(world);
  world.shiftMs = 0;
}

async function endAndResume(world: World): Promise<void> {
  for (const run of world.trainings.runs) {
    // The training goes on writing into the run that has ended, as some do.
    await world.mlflow.setStatus(run, "FINISHED", Date.now());
    await flows(world);
    await world.mlflow.setStatus(run, "RUNNING");
  }
}

async function deleteAndRestore(world: World): Promise<void> {
  for (const run of world.trainings.runs) {
    await world.trainings.rest();
    await world.mlflow.deleteRun(run);
    const gone = () => ![...world.pages.prometheus.values().keys()].some((series) => series.endsWith(run.slice(0, 8)));
    await until(gone, 60_000, "the run to leave the page");
    await world.mlflow.restoreRun(run);
    world.trainings.go();
    await flows(world);
  }
}

/** Starts anew on what is there, and takes runs away and gives them back while it is read. */
async function deleteAmid(world: World): Promise<void> {
  await world.trainings.rest();
  for (let round = 0; round < 5; round++) {
    const run = world.random.pick([world.trainings.runs[0] ?? "", ...world.trainings.runs]);
    await world.mlflow.deleteRun(run);
    await world.mlflow.restoreRun(run);
    await world.trainings.write(50);
  }
  world.trainings.go();
}
