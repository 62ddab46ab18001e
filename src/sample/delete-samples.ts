import type { Client } from "../mlflow/client.ts";
import { chooseExperiments, experimentMemory } from "../mlflow/experiments.ts";
import { findRuns, searchRuns } from "../mlflow/runs.ts";
import type { Writer } from "../mlflow/write.ts";
import { sampleTag } from "./training.ts";

/** What was deleted, which MLflow can restore until `mlflow gc`. */
export interface DeletedSamples {
  readonly runs: number;
  /** Names of experiments. */
  readonly experiments: readonly string[];
  /** Names of those that stay, as somebody else logs to them, too. */
  readonly kept: readonly string[];
}

/** Deletes every run that carries the tag of the samples, and the experiments with the tag that hold no other run. */
export async function deleteSamples(client: Client, writer: Writer): Promise<DeletedSamples> {
  const all = await chooseExperiments(client, {}, experimentMemory());
  const [[name, value] = ["", ""]] = Object.entries(sampleTag);
  const runs = await findRuns(client, { experiments: [...all.keys()], filter: `tags.\`${name}\` = '${value}'` });
  for (const { info } of runs) await writer.deleteRun(info.run_id);
  const made = await chooseExperiments(client, { tags: sampleTag }, experimentMemory());
  const experiments: string[] = [];
  const kept: string[] = [];
  for (const experiment of made.values()) {
    if (await holdsRuns(client, experiment.id)) {
      kept.push(experiment.name);
      continue;
    }
    // MLflow keeps the name of a deleted experiment, so that none could be made anew under it.
    await writer.renameExperiment(experiment.id, `${experiment.name} (deleted sample ${experiment.id})`);
    await writer.deleteExperiment(experiment.id);
    experiments.push(experiment.name);
  }
  return { runs: runs.length, experiments, kept };
}

async function holdsRuns(client: Client, experiment: string): Promise<boolean> {
  for await (const page of searchRuns(client, { experiments: [experiment], pageSize: 1 })) return page.length > 0;
  return false;
}
