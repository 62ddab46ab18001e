import * as v from "valibot";
import type { Point } from "../e2e/judge.ts";
import type { Receiver } from "./receiver.ts";

/** The points that a receiver has stored. */
export interface Arrivals {
  /** In order, with what came twice. */
  points(): readonly Point[];
  /** How many different ones there are; cheap, for it is asked in a loop. */
  distinct(): number;
  /** Points of requests that were stored while the sender could not know: as many may come again. */
  untold(): number;
}

/** Reads the bodies of a receiver as they come. */
export function readArrivals(receiver: Receiver, pointsOf: (body: string) => readonly Point[]): Arrivals {
  const points: Point[] = [];
  const seen = new Set<string>();
  let read = 0;
  let untold = 0;
  function catchUp(): void {
    for (; read < receiver.taken.length; read++) {
      const taken = receiver.taken[read];
      if (!taken) return;
      const arrived = pointsOf(taken.body);
      if (!taken.told) untold += arrived.length;
      for (const point of arrived) {
        points.push(point);
        seen.add(idOf(point));
      }
    }
  }
  return {
    points() {
      catchUp();
      return points;
    },
    distinct() {
      catchUp();
      return seen.size;
    },
    untold() {
      catchUp();
      return untold;
    },
  };
}

/** All of a point as one text: an altered one is another one. */
export function idOf({ run, key, value, time, step }: Point): string {
  return `${run} ${key} ${value} ${time} ${step}`;
}

/** The points in a body of the plugin of Pramathus. */
export function pramathusPoints(body: string): readonly Point[] {
  return v.parse(pramathusBody, JSON.parse(body)).metrics.map(({ name, value, timestamp, metadata }) => ({
    run: metadata.run_id,
    key: name,
    value: String(value),
    time: timestamp,
    step: metadata.step,
  }));
}

/** The points in a body of the user's own plugin. */
export function tallyPoints(body: string): readonly Point[] {
  return body.split("\n").map((line) => v.parse(tallyLine, JSON.parse(line)));
}

const pramathusBody = v.object({
  metrics: v.array(
    v.object({
      name: v.string(),
      value: v.nullable(v.number()),
      timestamp: v.number(),
      metadata: v.object({ run_id: v.string(), step: v.number() }),
    }),
  ),
});
const tallyLine = v.object({ run: v.string(), key: v.string(), value: v.string(), time: v.number(), step: v.number() });
