import type { RunAnswer } from "./answers.ts";
import { runsAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { nextToken, pageRows } from "./next-token.ts";

/** What `runs/search` is asked for. */
export interface RunSearch {
  readonly experiments: readonly string[];
  readonly filter?: string;
  /** `"ALL"` shows deleted runs too, `"DELETED_ONLY"` them alone. */
  readonly view?: "ACTIVE_ONLY" | "ALL" | "DELETED_ONLY";
  /** `"attributes.start_time ASC"` by default. */
  readonly order?: string;
  /** Runs a page, `pageRows` by default; an answer is about 11 kB a run. */
  readonly pageSize?: number;
}

/** Every run that is not terminal; `status IN` and `OR` are refused by MLflow. */
export const liveFilter =
  "attributes.status != 'FINISHED' AND attributes.status != 'FAILED' AND attributes.status != 'KILLED'";

/** Yields pages of runs. A set that changes meanwhile may repeat or skip one at a page's border. */
export async function* searchRuns(client: Client, search: RunSearch): AsyncGenerator<readonly RunAnswer[]> {
  for (let place: Place | undefined = begin; place && place.at < search.experiments.length; ) {
    const page = await searchPage(client, search, place);
    if (page.runs.length > 0) yield page.runs;
    place = page.next;
  }
}

/** A page of a search: which of its experiments are asked for, and the server's token. */
export interface Place {
  readonly at: number;
  readonly token: string | undefined;
}

/** The first page. */
export const begin: Place = { at: 0, token: undefined };

/** Asks for one page, and tells the place of the next one; none after the last. */
export async function searchPage(
  client: Client,
  search: RunSearch,
  { at, token }: Place,
): Promise<{ readonly runs: readonly RunAnswer[]; readonly next: Place | undefined }> {
  const page = await client.post(path, bodyOf(search, at, token), runsAnswer);
  const next = nextToken({ server: client.server, path }, token, page.next_page_token);
  if (next !== undefined) return { runs: page.runs, next: { at, token: next } };
  const isLast = at + atOnce >= search.experiments.length;
  return { runs: page.runs, next: isLast ? undefined : { at: at + atOnce, token: undefined } };
}

/** Experiments asked for together. */
const atOnce = 1000;

const path = "/api/2.0/mlflow/runs/search";

/** All pages in one list; for searches that find few. */
export async function findRuns(client: Client, search: RunSearch): Promise<RunAnswer[]> {
  const found: RunAnswer[] = [];
  for await (const page of searchRuns(client, search)) found.push(...page);
  return found;
}

/** The runs of these ids, deleted ones too; what is missing is gone for good or lies in a deleted experiment. */
export async function findById(
  client: Client,
  experiments: readonly string[],
  ids: readonly string[],
): Promise<RunAnswer[]> {
  const found: RunAnswer[] = [];
  for (let at = 0; at < ids.length; at += 100) {
    const list = ids.slice(at, at + 100).map((id) => `'${id}'`);
    found.push(
      ...(await findRuns(client, { experiments, view: "ALL", filter: `attributes.run_id IN (${list.join(",")})` })),
    );
  }
  return found;
}

function bodyOf(
  { experiments, filter, view, order, pageSize }: RunSearch,
  at: number,
  token: string | undefined,
): string {
  return JSON.stringify({
    experiment_ids: experiments.slice(at, at + atOnce),
    filter,
    run_view_type: view ?? "ACTIVE_ONLY",
    max_results: pageSize ?? pageRows,
    order_by: [order ?? "attributes.start_time ASC"],
    page_token: token,
  });
}
