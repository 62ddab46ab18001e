import type { Batch } from "../model/batch.ts";
import type { SourceContext } from "../model/context.ts";
import type { Sample } from "../model/sample.ts";
import { readModels } from "./models.ts";
import type { Session } from "./session.ts";

/** The server-wide gauges of design § 5, told when they change. */
export interface Facts {
  /** Reads the model registry; a lone NaN says that it holds no version. */
  models(session: Session): Promise<readonly Sample[]>;
  /**
   * Yields `up` 1, the number of experiments, the runs counted, and the given facts, those that differ from what was told
   * before. Runs are left out while not all have been read, as their number would be wrong.
   */
  changed(session: Session, models: readonly Sample[] | undefined, isAllRead: boolean): Generator<Batch>;
  /** Yields `up` 0, once. */
  away(ctx: SourceContext): Generator<Batch>;
}

/** Makes the facts of one source; at its start everything is told once. */
export function createFacts(): Facts {
  const told = new Map<string, string>();

  function* tell(ctx: SourceContext, facts: readonly Sample[]): Generator<Batch> {
    const fresh: Sample[] = [];
    for (const [name, group] of Map.groupBy(facts, (fact) => fact.name)) {
      const text = JSON.stringify(group.map(({ value, labels }) => [value, labels]));
      if (told.get(name) === text) continue;
      told.set(name, text);
      fresh.push(...group);
    }
    if (fresh.length > 0) yield { time: ctx.now(), samples: [], ended: [], facts: fresh };
  }

  return {
    async models({ client, ctx }) {
      const time = ctx.now();
      const models = await readModels(client, time);
      return models.length === 0 ? [{ name: "model_version_info", value: Number.NaN, time, step: 0 }] : models;
    },
    *changed({ collector, ctx, experiments }, models = [], isAllRead) {
      const time = ctx.now();
      const gauge = (name: string, value: number): Sample => ({ name, value, time, step: 0 });
      const runs = isAllRead ? collector.counts.facts(time) : [];
      yield* tell(ctx, [gauge("up", 1), gauge("experiments", experiments.size), ...runs, ...models]);
    },
    *away(ctx) {
      yield* tell(ctx, [{ name: "up", value: 0, time: ctx.now(), step: 0 }]);
    },
  };
}
