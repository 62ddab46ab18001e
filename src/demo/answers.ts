import { Buffer } from "node:buffer";
import type { Context } from "hono";
import * as v from "valibot";
import type { StoredPoint } from "./series.ts";
import type { StoredExperiment, StoredRun } from "./store.ts";

/** Why a request is refused; becomes the JSON that MLflow's clients know. */
export class Refusal extends Error {
  readonly status: 400 | 404;
  readonly code: string;

  constructor(status: 400 | 404, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** MLflow's word for a request that it does not understand. */
export function invalid(message: string): Refusal {
  return new Refusal(400, "INVALID_PARAMETER_VALUE", message);
}

/** The refusal of what does not exist: 404. */
export function missing(message: string): Refusal {
  return new Refusal(404, "RESOURCE_DOES_NOT_EXIST", message);
}

/** Reads the JSON of a POST; throws `Refusal` with the place of what is missing or wrong. */
export async function readBody<S extends v.GenericSchema>(c: Context, schema: S): Promise<v.InferOutput<S>> {
  const body: unknown = await c.req.json().catch(() => {
    throw invalid("Invalid JSON in the request body");
  });
  return read(schema, body);
}

/** Reads the query of a GET in the same way. */
export function readQuery<S extends v.GenericSchema>(c: Context, schema: S): v.InferOutput<S> {
  return read(schema, c.req.query());
}

function read<S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, input);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw invalid(`Invalid or missing value for parameter '${v.getDotPath(issue) ?? "body"}': ${issue.message}`);
}

/** Which part of a list is asked for. */
export interface PageRequest {
  readonly name: string;
  /** All that is left when absent. */
  readonly size: number | undefined;
  readonly token: string | undefined;
}

/** Cuts a page; the token is the base64 of its offset, and absent on the last page. An empty list is absent, too. */
export function pageOf(items: readonly object[], { name, size, token }: PageRequest): object {
  const from = token ? offsetOf(token) : 0;
  const part = items.slice(from, from + (size ?? items.length));
  if (part.length === 0) return {};
  const next = from + part.length;
  if (next >= items.length) return { [name]: part };
  return { [name]: part, next_page_token: Buffer.from(`{"offset": ${next}}`).toString("base64") };
}

/** MLflow refuses an offset of 0, which it never gives out. */
function offsetOf(token: string): number {
  const text = Buffer.from(token, "base64").toString("utf8");
  const offset = Number(/^\{\s*"offset":\s*(\d+)\s*\}$/.exec(text)?.[1] ?? 0);
  if (offset === 0) throw invalid("Invalid page token, could not base64-decode");
  return offset;
}

/** An experiment as `experiments/search` shows it. */
export function experimentJson({ id, name, created }: StoredExperiment): object {
  return {
    experiment_id: id,
    name,
    artifact_location: `mlflow-artifacts:/${id}`,
    lifecycle_stage: "active",
    last_update_time: created,
    creation_time: created,
    workspace: "default",
  };
}

/** The `info` of a run. */
export function infoJson(run: StoredRun): object {
  return {
    run_uuid: run.id,
    experiment_id: run.experiment,
    run_name: run.name,
    user_id: "",
    status: run.status,
    start_time: run.startTime,
    ...(run.endTime !== undefined && { end_time: run.endTime }),
    artifact_uri: `mlflow-artifacts:/${run.experiment}/${run.id}/artifacts`,
    lifecycle_stage: run.isDeleted ? "deleted" : "active",
    run_id: run.id,
  };
}

/** A run as `runs/search` shows it, each metric with its latest point. */
export function runJson(run: StoredRun): object {
  const latest = [...run.metrics.values()].flatMap((series) => series.latest() ?? []).map(pointJson);
  const data = { metrics: latest, params: pairs(run.params), tags: pairs(run.tags) };
  return { info: infoJson(run), data: withoutEmpty(data), inputs: {} };
}

/** JSON has no NaN: MLflow writes it as text. */
export function pointJson({ key, value, timestamp, step }: StoredPoint): object {
  return { key, value: Number.isNaN(value) ? "NaN" : value, timestamp, step };
}

function pairs(map: ReadonlyMap<string, string>): readonly object[] {
  return [...map].map(([key, value]) => ({ key, value }));
}

function withoutEmpty(lists: Readonly<Record<string, readonly object[]>>): object {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}
