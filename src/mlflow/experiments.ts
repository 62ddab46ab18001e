import type { Experiment } from "../model/run.ts";
import { experimentsAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { nextToken } from "./next-token.ts";
import type { MlflowOptions } from "./options.ts";
import { searchRuns } from "./runs.ts";

/** Which experiments are read. */
export type ExperimentChoice = Pick<MlflowOptions, "experiments" | "tags" | "maxExperiments">;

/**
 * Lists the experiments to read, by id: one request per 1000, and with `maxExperiments` one more for those that are
 * not known to hold runs. `holding` remembers which do, from call to call.
 */
export async function chooseExperiments(
  client: Client,
  choice: ExperimentChoice,
  holding: Set<string>,
): Promise<ReadonlyMap<string, Experiment>> {
  const all = (await listExperiments(client)).filter((experiment) => isChosen(experiment, choice));
  // One that has gone may come back: then it is asked about again.
  const ids = new Set(all.map(({ id }) => id));
  for (const id of holding) if (!ids.has(id)) holding.delete(id);
  const { maxExperiments } = choice;
  const chosen = maxExperiments === undefined ? all : await newestWithRuns(client, all, maxExperiments, holding);
  // By number where ids are numbers, so that the order of requests is always the same.
  chosen.sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
  return new Map(chosen.map(({ id, name }) => [id, { id, name }]));
}

interface Listed extends Experiment {
  readonly created: number;
  readonly tags: ReadonlyMap<string, string>;
}

async function listExperiments(client: Client): Promise<Listed[]> {
  const listed: Listed[] = [];
  let token: string | undefined;
  do {
    const body = { max_results: 1000, order_by: ["experiment_id"], view_type: "ACTIVE_ONLY", page_token: token };
    const page = await client.post(path, JSON.stringify(body), experimentsAnswer);
    for (const { experiment_id, name, creation_time, tags } of page.experiments) {
      const pairs = tags.map(({ key, value }) => [key, value] as const);
      listed.push({ id: experiment_id, name, created: creation_time, tags: new Map(pairs) });
    }
    token = nextToken({ server: client.server, path }, token, page.next_page_token);
  } while (token !== undefined);
  return listed;
}

const path = "/api/2.0/mlflow/experiments/search";

function isChosen({ name, tags }: Listed, { experiments, tags: wanted = {} }: ExperimentChoice): boolean {
  if (experiments && !experiments.some((pattern) => matches(name, pattern))) return false;
  return Object.entries(wanted).every(([key, value]) => tags.get(key) === value);
}

function matches(name: string, pattern: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`, "s").test(name);
}

async function newestWithRuns(
  client: Client,
  all: readonly Listed[],
  count: number,
  holding: Set<string>,
): Promise<Listed[]> {
  const newest = [...all].sort((a, b) => b.created - a.created || b.id.length - a.id.length || (a.id < b.id ? 1 : -1));
  const known = newest.filter(({ id }) => holding.has(id)).slice(0, count);
  const last = known.length === count ? known.at(-1) : undefined;
  const before = last ? newest.indexOf(last) : newest.length;
  await findHolding(client, newest.slice(0, before), count, holding);
  return newest.filter(({ id }) => holding.has(id)).slice(0, count);
}

/** Looks for runs in the candidates; one request says that all are empty, which is the usual case. */
async function findHolding(client: Client, candidates: readonly Listed[], count: number, holding: Set<string>) {
  const unknown = candidates.filter(({ id }) => !holding.has(id));
  const search = { order: "attributes.start_time DESC", pageSize: 1 };
  for (let found = candidates.length - unknown.length; unknown.length > 0 && found < count; ) {
    const part = unknown.splice(0, 1000).map(({ id }) => id);
    if (!(await holdsRuns(client, part, search))) continue;
    for (const id of part) {
      if (found >= count) break;
      if (part.length > 1 && !(await holdsRuns(client, [id], search))) continue;
      holding.add(id);
      found += 1;
    }
  }
}

async function holdsRuns(client: Client, experiments: readonly string[], search: { order: string; pageSize: number }) {
  for await (const page of searchRuns(client, { experiments, ...search })) return page.length > 0;
  return false;
}
