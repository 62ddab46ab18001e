import type { Run } from "../model/run.ts";
import type { State } from "../model/state.ts";
import { type Position, unread } from "./history.ts";
import { appendKnown, forgetKnown } from "./known.ts";
import { type PackedPoint, type Point, packPoint, samePoint, unpackPoint } from "./points.ts";

/** What is remembered of one run, under `run/<id>`; written with the batch that carries what it says. */
export interface RunState {
  /** The run without tags and params: enough to end it when MLflow no longer shows it. */
  run: Run;
  /** A hash of everything the run's labels and info come from. */
  facts: string;
  /** Whether its end was told; it is set with the batch that holds the run's last points. */
  ended: boolean;
  deleted: boolean;
  readonly series: Map<string, SeriesState>;
}

/** How far a series has been read. */
export interface SeriesState extends Position {
  /** The latest point by `runs/search` when the series was read to its end. */
  readonly latest: Point | undefined;
}

/** A series never seen. */
export const unseen: SeriesState = { ...unread, latest: undefined };

/** Reads what is remembered of a run; nothing when it was never met. */
export function loadRun(state: State, id: string): RunState | undefined {
  const text = state.get(`run/${id}`);
  if (typeof text !== "string") return undefined;
  const stored: Stored = JSON.parse(text);
  const series = new Map<string, SeriesState>();
  for (const [key, verified, emitted, last, latest] of stored.series) {
    const lastPoint = last ? unpackPoint(last) : undefined;
    series.set(key, {
      verified,
      emitted,
      last: lastPoint,
      latest: latest === 0 ? lastPoint : latest ? unpackPoint(latest) : undefined,
    });
  }
  return {
    run: { ...stored.run, tags: {}, params: {} },
    facts: stored.facts,
    ended: stored.ended,
    deleted: stored.deleted,
    series,
  };
}

/** Remembers a run, in the state that is committed with the next batch. */
export function saveRun(state: State, { run, facts, ended, deleted, series }: RunState): void {
  const { tags: _tags, params: _params, ...bare } = run;
  const rows = [...series].map(([key, at]): StoredSeries => {
    // Nearly always both are one point; the page of a run with many series is read at every change.
    const latest = at.latest && samePoint(at.latest, at.last) ? 0 : at.latest ? packPoint(at.latest) : null;
    return [key, at.verified, at.emitted, at.last ? packPoint(at.last) : null, latest];
  });
  const stored: Stored = { run: bare, facts, ended, deleted, series: rows };
  state.set(`run/${run.id}`, JSON.stringify(stored));
}

/** Yields every run that is remembered, one at a time: for reading once, and for experiments that vanish. */
export function* knownRuns(state: State): Generator<RunState> {
  for (const [name] of state.scan("run/")) {
    const run = loadRun(state, name.slice("run/".length));
    if (run) yield run;
  }
}

/** Remembers emitted points and where the series stands after them. */
export function advance(state: State, run: RunState, key: string, points: readonly Point[], after: Position): void {
  const before = run.series.get(key) ?? unseen;
  appendKnown(state, { run: run.run.id, key }, before.emitted, points);
  run.series.set(key, { ...before, ...after });
}

/** Forgets a run that MLflow has removed for good. */
export function forgetRun(state: State, { run: { id }, series }: RunState): void {
  state.delete(`run/${id}`);
  state.delete(`live/${id}`);
  state.delete(`deleted/${id}`);
  for (const [key, { emitted }] of series) forgetKnown(state, { run: id, key }, emitted);
}

interface Stored {
  readonly run: Omit<Run, "tags" | "params">;
  readonly facts: string;
  readonly ended: boolean;
  readonly deleted: boolean;
  readonly series: readonly StoredSeries[];
}

/** `latest` is 0 when it is the same point as `last`. */
type StoredSeries = readonly [
  key: string,
  verified: number,
  emitted: number,
  last: PackedPoint | null,
  latest: PackedPoint | 0 | null,
];
