import * as v from "valibot";
import type { Batch } from "../model/batch.ts";
import type { State, StateValue } from "../model/state.ts";
import { endAbsent } from "./look-up.ts";
import { MlflowError } from "./mlflow-error.ts";
import { loadRun } from "./run-state.ts";
import { findById } from "./runs.ts";
import type { Session } from "./session.ts";

/**
 * Goes round the deleted runs and forgets those that MLflow has removed for good (`mlflow gc`), so that what is
 * remembered never outgrows what MLflow holds. Runs whose experiment is read no more go when that has gone.
 */
export interface Forgetting {
  /** Looks at some of them; returns false at the end of a round, when there was nothing to look at. */
  step(session: Session): AsyncGenerator<Batch, boolean>;
}

/** Makes one; one per source. */
export function createForgetting(): Forgetting {
  let round = newRound();
  // Runs that are still there cost 11 kB of answer each, those that are gone nothing.
  let portion = portions.least;

  async function* forget(session: Session, runs: readonly DeletedRun[]): AsyncGenerator<Batch> {
    const { client, ctx, experiments } = session;
    const listed = runs.filter(({ experiment }) => experiments.has(experiment)).map(({ id }) => id);
    const answers = listed.length > 0 ? await findById(client, [...experiments.keys()], listed) : [];
    yield* endAbsent(session, listed, answers);
    portion = answers.length > listed.length / 2 ? portions.least : Math.min(2 * portion, portions.most);
    const draft = session.draft();
    for (const { id, experiment } of runs) {
      if (experiments.has(experiment) || (await isThere(session, experiment))) continue;
      const state = loadRun(ctx.state, id);
      if (state) draft.add({ state, effect: () => undefined, forget: true });
    }
    if (!draft.isEmpty()) yield draft.take();
  }

  async function isThere({ client }: Session, experiment: string): Promise<boolean> {
    const known = round.experiments.get(experiment);
    if (known !== undefined) return known;
    const there = await exists(client, experiment);
    round.experiments.set(experiment, there);
    return there;
  }

  return {
    async *step(session) {
      round.runs ??= deletedRuns(session.ctx.state);
      const some = take(round.runs, portion);
      if (some.length === 0) {
        round = newRound();
        return false;
      }
      yield* forget(session, some);
      return true;
    },
  };
}

interface DeletedRun {
  readonly id: string;
  readonly experiment: string;
}

interface Round {
  runs: Iterator<DeletedRun> | undefined;
  /** Whether MLflow has them still, deleted or not. */
  readonly experiments: Map<string, boolean>;
}

const portions = { least: 100, most: 1000 };

function newRound(): Round {
  return { runs: undefined, experiments: new Map() };
}

/** Reads on from step to step: the state is scanned page by page, so that a round holds none of it. */
function* deletedRuns(state: State): Generator<DeletedRun> {
  for (const [name, value] of state.scan(prefix)) {
    const id = name.slice(prefix.length);
    yield { id, experiment: experimentOf(state, id, value) };
  }
}

const prefix = "deleted/";

/** Versions before this one stored no experiment there. */
function experimentOf(state: State, id: string, value: StateValue): string {
  return typeof value === "string" && value !== "" ? value : (loadRun(state, id)?.run.experiment.id ?? "");
}

function take<T>(items: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const { done, value } = items.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

async function exists(client: Session["client"], experiment: string): Promise<boolean> {
  try {
    await client.get("/api/2.0/mlflow/experiments/get", [["experiment_id", experiment]], v.unknown());
    return true;
  } catch (error) {
    if (!(error instanceof MlflowError) || error.trouble === "transient" || error.trouble === "auth") throw error;
    // Whoever may not see it, or asks a server that does not know the question, forgets nothing.
    return error.trouble !== "gone";
  }
}
