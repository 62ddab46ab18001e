import type { ActiveSink } from "../delivery/active-sink.ts";
import type { Batch } from "../model/batch.ts";
import type { RequestPreview, SinkPreview } from "./preview.ts";
import { bodyBytes, previewRequest } from "./request-preview.ts";

/** Counts what a sink would send and keeps the first requests. */
export interface Tally {
  add(batch: Batch, requests: readonly unknown[]): void;
  result(): SinkPreview;
}

/** Makes the tally of one sink. */
export function openTally({ id, type }: ActiveSink, limit: number): Tally {
  const kept: RequestPreview[] = [];
  const series = new Set<string>();
  let samples = 0;
  let bytes = 0;
  let omitted = 0;
  return {
    add(batch, requests) {
      samples += batch.samples.length;
      for (const { name, run, labels, series: identity } of batch.samples) {
        series.add(identity?.id ?? `${run?.id} ${name} ${labels ? JSON.stringify(labels) : ""}`);
      }
      for (const request of requests) {
        const preview = previewRequest(request);
        bytes += bodyBytes(preview).length;
        if (kept.length < limit) kept.push(preview);
        else omitted += 1;
      }
    },
    result: () => ({ id, type, samples, series: series.size, bytes, requests: kept, omitted }),
  };
}
