import * as v from "valibot";
import { type Point, readPoint } from "./points.ts";

/** A list of metric rows, absent when empty, as MLflow leaves out empty lists. */
export const pointList = v.pipe(
  v.optional(v.array(v.unknown()), []),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const points: Point[] = [];
    for (const row of dataset.value) {
      const point = readPoint(row);
      if (!point) {
        addIssue({ message: "a metric without value, timestamp or step" });
        return NEVER;
      }
      points.push(point);
    }
    return points;
  }),
);

const pairs = v.optional(v.array(v.object({ key: v.string(), value: v.optional(v.string(), "") })), []);
const pageToken = v.optional(v.string());

/** One page of `runs/search`. */
export const runsAnswer = v.object({
  runs: v.optional(
    v.array(
      v.object({
        info: v.object({
          run_id: v.string(),
          experiment_id: v.string(),
          run_name: v.optional(v.string(), ""),
          user_id: v.optional(v.string(), ""),
          status: v.optional(v.string(), "RUNNING"),
          start_time: v.optional(v.number(), 0),
          end_time: v.optional(v.number()),
          lifecycle_stage: v.optional(v.string(), "active"),
        }),
        data: v.optional(
          v.object({
            metrics: v.optional(v.array(v.looseObject({ key: v.pipe(v.string(), v.nonEmpty()) })), []),
            params: pairs,
            tags: pairs,
          }),
          {},
        ),
      }),
    ),
    [],
  ),
  next_page_token: pageToken,
});

/** One run of a page. */
export type RunAnswer = v.InferOutput<typeof runsAnswer>["runs"][number];

/** One page of `experiments/search`. */
export const experimentsAnswer = v.object({
  experiments: v.optional(
    v.array(
      v.object({
        experiment_id: v.string(),
        name: v.string(),
        creation_time: v.optional(v.number(), 0),
        tags: pairs,
      }),
    ),
    [],
  ),
  next_page_token: pageToken,
});

/** `server-info`, from 3.10. */
export const serverInfoAnswer = v.object({
  store_type: v.nullish(v.string()),
  workspaces_enabled: v.optional(v.boolean(), false),
});

/** `workspaces`, where the server has them. */
export const workspacesAnswer = v.object({
  workspaces: v.optional(v.array(v.object({ name: v.string() })), []),
});

/** One page of `registered-models/search`. */
export const modelsAnswer = v.object({
  registered_models: v.optional(
    v.array(
      v.object({
        name: v.string(),
        aliases: v.optional(v.array(v.object({ alias: v.string(), version: v.string() })), []),
        tags: pairs,
      }),
    ),
    [],
  ),
  next_page_token: pageToken,
});

/** One page of `model-versions/search`. */
export const modelVersionsAnswer = v.object({
  model_versions: v.optional(
    v.array(
      v.object({
        name: v.string(),
        version: v.string(),
        current_stage: v.optional(v.string(), "None"),
        run_id: v.optional(v.string(), ""),
      }),
    ),
    [],
  ),
  next_page_token: pageToken,
});
