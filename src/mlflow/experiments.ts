import { matchesPattern } from "../model/pattern.ts";
import type { Experiment } from "../model/run.ts";
import { experimentsAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { nextToken, pageRows } from "./next-token.ts";
import type { MlflowOptions } from "./options.ts";
import { searchRuns } from "./runs.ts";

/** Which experiments are read. */
export type ExperimentChoice = Pick<MlflowOptions, "experiments" | "tags" | "maxExperiments">;

/** What is remembered of the experiments from call to call; the caller makes it, once a session. */
export interface ExperimentMemory {
  /** Experiments that are known to hold runs. */
  readonly holding: Set<string>;
  /** The highest number among all ids; nothing where ids are no numbers. */
  highest: number | undefined;
}

/**
 * Lists the experiments to read, by id: one request per 500, and with `maxExperiments` one more for those that are
 * not known to hold runs.
 */
export async function chooseExperiments(
  client: Client,
  choice: ExperimentChoice,
  memory: ExperimentMemory,
): Promise<ReadonlyMap<string, Experiment>> {
  const { holding } = memory;
  const listed = await listExperiments(client);
  for (const { id } of listed) noteExperiment(memory, id);
  const all = listed.filter((experiment) => isChosen(experiment, choice));
  // One that has gone may come back: then it is asked about again.
  const ids = new Set(all.map(({ id }) => id));
  for (const id of holding) if (!ids.has(id)) holding.delete(id);
  const { maxExperiments } = choice;
  const chosen = maxExperiments === undefined ? all : await newestWithRuns(client, all, maxExperiments, holding);
  // By number where ids are numbers, so that the order of requests is always the same.
  chosen.sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
  return new Map(chosen.map(({ id, name }) => [id, { id, name }]));
}

/** What `chooseExperiments` starts with. */
export function experimentMemory(): ExperimentMemory {
  return { holding: new Set(), highest: 0 };
}

/** Takes an id for one that exists, if only to be asked about no more. */
export function noteExperiment(memory: ExperimentMemory, id: string): void {
  // The file store's ids are 18 random digits, those of forks may be anything.
  if (!/^\d{1,15}$/.test(id)) memory.highest = undefined;
  else if (memory.highest !== undefined) memory.highest = Math.max(memory.highest, Number(id));
}

/**
 * The ids that a SQL store will give to its next experiments. Searches leave out ids that do not exist, so a search may
 * ask for them beforehand and so sees a new experiment at once. Never so many that a further request were needed.
 */
export function nextExperiments({ highest }: ExperimentMemory, chosen: number): string[] {
  if (highest === undefined) return [];
  const room = chosen === 0 ? ahead : (1000 - (chosen % 1000)) % 1000;
  return Array.from({ length: Math.min(ahead, room) }, (_, i) => String(highest + 1 + i));
}

const ahead = 16;

interface Listed extends Experiment {
  readonly created: number;
  readonly tags: ReadonlyMap<string, string>;
}

async function listExperiments(client: Client): Promise<Listed[]> {
  const listed: Listed[] = [];
  let token: string | undefined;
  do {
    const body = { max_results: pageRows, order_by: ["experiment_id"], view_type: "ACTIVE_ONLY", page_token: token };
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
  if (experiments && !experiments.some((pattern) => matchesPattern(name, pattern))) return false;
  return Object.entries(wanted).every(([key, value]) => tags.get(key) === value);
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
