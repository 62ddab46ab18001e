import type { HistoryPages } from "./history-page.ts";
import type { Known, SeriesName } from "./known.ts";
import { type Point, samePoint } from "./points.ts";

/**
 * How far a series has been read: the first `verified` points of MLflow's list are known and end with `last`;
 * `emitted` points were given out in all. When they differ, the next reading compares the whole list.
 */
export interface Position {
  readonly verified: number;
  readonly emitted: number;
  readonly last: Point | undefined;
}

/** Points to emit together, and where the series stands once they are. */
export interface Piece {
  readonly points: readonly Point[];
  readonly after: Position;
}

/** A series that was never read. */
export const unread: Position = { verified: 0, emitted: 0, last: undefined };

/**
 * Reads every point that was not emitted yet, each exactly once (mlflow.md § 5). Points are never removed, so if the
 * one before the end is still at its place, all before it are known; if not, the whole list is compared with `known`.
 * Returns false when the list has changed while it was read: then it must be called again, with all pieces remembered.
 */
export async function* readTail(
  pages: HistoryPages,
  series: SeriesName,
  start: Position,
  known: () => Known,
): AsyncGenerator<Piece, boolean> {
  if (start.emitted !== start.verified) return yield* compareWhole(pages, series, start.emitted, known());
  let at = start;
  for (;;) {
    const page = await pages.from(series, Math.max(at.verified - 1, 0));
    // Up to 3.1.0 the list comes whole and in no promised order, so that places in it say nothing.
    if (!page) break;
    if (at.verified > 0 && !samePoint(page.points[0], at.last)) break;
    const fresh = at.verified > 0 ? page.points.slice(1) : page.points;
    for (const piece of cut(fresh, at)) {
      yield piece;
      at = piece.after;
    }
    if (!page.more || fresh.length === 0) return true;
  }
  if (at !== start) return false;
  return yield* compareWhole(pages, series, start.emitted, known());
}

/** Cuts a list that continues a verified one into pieces of batch size. */
export function* cut(points: readonly Point[], from: Position): Generator<Piece> {
  for (let done = 0; done < points.length; done += pieceSize) {
    const part = points.length <= pieceSize ? points : points.slice(done, done + pieceSize);
    const count = done + part.length;
    yield {
      points: part,
      after: { verified: from.verified + count, emitted: from.emitted + count, last: points[count - 1] },
    };
  }
}

const pieceSize = 10_000;

/** Reads the list from its start and emits what is not known; until its end is reached nothing counts as verified. */
async function* compareWhole(
  pages: HistoryPages,
  series: SeriesName,
  emitted: number,
  known: Known,
): AsyncGenerator<Piece, boolean> {
  let count = emitted;
  let position = 0;
  let last: Point | undefined;
  for await (const points of wholeList(pages, series)) {
    if (!points) return false;
    position += points.length;
    last = points.at(-1) ?? last;
    const fresh = points.filter((point) => !known.meet(point));
    for (let done = 0; done < fresh.length; done += pieceSize) {
      const part = fresh.slice(done, done + pieceSize);
      count += part.length;
      yield { points: part, after: { verified: 0, emitted: count, last: undefined } };
    }
  }
  yield { points: [], after: { verified: position, emitted: count, last } };
  return true;
}

/** The list from its start, page by page; `undefined` when something was inserted before the page just asked for. */
async function* wholeList(pages: HistoryPages, series: SeriesName): AsyncGenerator<readonly Point[] | undefined> {
  let position = 0;
  let last: Point | undefined;
  for (;;) {
    const page = await pages.from(series, Math.max(position - 1, 0));
    if (!page) {
      yield* pages.whole(series);
      return;
    }
    if (position > 0 && !samePoint(page.points[0], last)) {
      yield undefined;
      return;
    }
    const points = position > 0 ? page.points.slice(1) : page.points;
    yield points;
    position += points.length;
    last = points.at(-1);
    if (!page.more || points.length === 0) return;
  }
}
