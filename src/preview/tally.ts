import type { ActiveSink } from "../delivery/active-sink.ts";
import type { Batch } from "../model/batch.ts";
import { maskSecrets } from "../model/secret.ts";
import type { RequestPreview, SinkPreview } from "./preview.ts";
import { bodyBytes, previewRequest } from "./request-preview.ts";

/** Counts what a sink would send and keeps the first requests. */
export interface Tally {
  /** Takes what `render` gives of a batch: its requests, or why there are none. */
  add(batch: Batch, rendered: readonly unknown[] | string): void;
  result(): SinkPreview;
}

/** Makes the tally of one sink. */
export function openTally({ id, type }: ActiveSink, limit: number): Tally {
  const kept: RequestPreview[] = [];
  const series = new Set<string>();
  let samples = 0;
  let bytes = 0;
  let omitted = 0;
  let failure: string | undefined;
  return {
    add(batch, rendered) {
      if (typeof rendered === "string") {
        failure ??= maskSecrets(rendered);
        return;
      }
      samples += batch.samples.length;
      for (const { name, run, labels, series: identity } of batch.samples) {
        series.add(identity?.id ?? `${run?.id} ${name} ${labels ? JSON.stringify(labels) : ""}`);
      }
      for (const request of rendered) {
        const preview = previewRequest(request);
        bytes += bodyBytes(preview).length;
        if (kept.length < limit) kept.push(preview);
        else omitted += 1;
      }
    },
    result: () => ({
      id,
      type,
      samples,
      series: series.size,
      bytes,
      requests: kept,
      omitted,
      ...(failure && { failure }),
    }),
  };
}
