import type { State } from "../model/state.ts";

/**
 * Why polls look at a run, under `live/<id>`: it was not terminal when last seen; it has ended with a series that could
 * not be read; or it has ended, and is compared to its end once more at this time (Unix ms by the server's clock).
 */
export type Watch = "live" | "retry" | number;

/** Nothing for a run that only the sweep looks at. */
export function watchOf(state: State, run: string): Watch | undefined {
  return read(state.get(prefix + run));
}

/** Takes effect with the batch that is taken next. */
export function setWatch(state: State, run: string, watch: Watch | undefined): void {
  if (watch === undefined) state.delete(prefix + run);
  else state.set(prefix + run, watch === "live" ? "" : String(watch));
}

/** Every run that is looked at; read to its end before anything is changed. */
export function watched(state: State): readonly (readonly [run: string, watch: Watch])[] {
  return [...state.scan(prefix)].flatMap(([name, value]) => {
    const watch = read(value);
    return watch === undefined ? [] : [[name.slice(prefix.length), watch] as const];
  });
}

const prefix = "live/";

function read(value: unknown): Watch | undefined {
  if (typeof value !== "string") return undefined;
  if (value === "") return "live";
  return value === "retry" ? value : Number(value);
}
