import { plural } from "../model/plural.ts";
import { count } from "./quantities.ts";
import type { Status } from "./status.ts";

/** Says what is not well though mlmon may be ready, one sentence each; shown by the status page. */
export function concerns({ sources, sinks }: Pick<Status, "sources" | "sinks">): readonly string[] {
  return [
    ...sources.filter(({ state }) => state === "failing").map(({ id }) => `The source "${id}" is failing`),
    ...sinks.flatMap(({ id, state, deadLetters }) => {
      const dead = Object.values(deadLetters).reduce((sum, each) => sum + each, 0);
      return [
        ...(state === "paused" || state === "retrying" ? [`The sink "${id}" is ${state}`] : []),
        ...(dead > 0 ? [`The sink "${id}" keeps ${plural(dead, "dead letter", count(dead))}: see mlmon queue`] : []),
      ];
    }),
  ];
}
