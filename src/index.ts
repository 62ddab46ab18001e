/**
 * The public API of mlmon: what a configuration and a plugin import.
 *
 * @module
 */
export * as v from "valibot";
export { type Config, type ConfigExport, defineConfig } from "./config/config.ts";
export { type ClassifyOptions, classify } from "./delivery/classify.ts";
export { mlflow } from "./mlflow/mlflow.ts";
export type { Batch, EndedRun } from "./model/batch.ts";
export type { Context, Poll, Progress, SourceContext } from "./model/context.ts";
export {
  defineHttpSink,
  defineSink,
  defineSource,
  defineTransform,
  type EntryOptions,
  type SinkEntry,
  type SourceEntry,
  type TransformEntry,
} from "./model/define.ts";
export type { Held } from "./model/entries.ts";
export { env } from "./model/env.ts";
export { ConfigError } from "./model/errors.ts";
export type { HttpRequest } from "./model/http-request.ts";
export type { Inspection, Problem } from "./model/inspection.ts";
export type { Log, LogFields } from "./model/log.ts";
export { option } from "./model/option.ts";
export type { Outcome } from "./model/outcome.ts";
export type { Experiment, Run, RunStatus } from "./model/run.ts";
export type { Sample, Series } from "./model/sample.ts";
export { Secret, secret } from "./model/secret.ts";
export type { HttpSink, Sink, SinkContext, SinkTraits } from "./model/sink.ts";
export type { SinkOptions } from "./model/sink-options.ts";
export type { Source, Transform } from "./model/source.ts";
export type { State, StateValue } from "./model/state.ts";
export { filter } from "./transforms/filter.ts";
export { label } from "./transforms/label.ts";
export { rename } from "./transforms/rename.ts";
export { thin } from "./transforms/thin.ts";
