import * as v from "valibot";
import { statuses } from "./store.ts";

/** A request that names a run alone: `runs/get`, `runs/delete`, `runs/restore`. */
export const runId = v.object({ run_id: v.pipe(v.string(), v.nonEmpty()) });

const pair = v.object({ key: v.string(), value: v.string() });
const pairs = v.optional(v.pipe(v.array(pair), v.maxLength(100)), []);

/** JSON has no NaN and no infinity, so these come as text. */
const metricValue = v.union([v.number(), v.pipe(v.picklist(["NaN", "Infinity", "-Infinity"]), v.transform(Number))]);
const point = v.object({
  key: v.string(),
  value: metricValue,
  timestamp: v.pipe(v.number(), v.integer(), v.minValue(0)),
  step: v.optional(v.pipe(v.number(), v.integer()), 0),
});

/** `runs/create`. */
export const newRun = v.object({
  experiment_id: v.string(),
  run_name: v.optional(v.string(), ""),
  start_time: v.optional(v.number(), 0),
  tags: pairs,
});

/** `runs/update`; MLflow overlooks a status that it does not know. */
export const changeRun = v.object({
  ...runId.entries,
  status: v.fallback(v.optional(v.picklist(statuses)), undefined),
  end_time: v.optional(v.number()),
  run_name: v.optional(v.string()),
});

/** `runs/log-batch`, with MLflow's own limits. */
export const logBatch = v.object({
  ...runId.entries,
  metrics: v.optional(v.pipe(v.array(point), v.maxLength(1000)), []),
  params: pairs,
  tags: pairs,
});

/** `runs/set-tag`. */
export const tagChange = v.object({ ...runId.entries, ...pair.entries });

/** `runs/search`. */
export const runSearch = v.object({
  experiment_ids: v.optional(v.array(v.string()), []),
  filter: v.optional(v.string(), ""),
  run_view_type: v.optional(v.string(), "ACTIVE_ONLY"),
  max_results: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50_000)), 1000),
  order_by: v.optional(v.array(v.string()), []),
  page_token: v.optional(v.string()),
});
