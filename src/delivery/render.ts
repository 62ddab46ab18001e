import type { Batch } from "../model/batch.ts";
import { pluginFailed } from "../model/dead-reason.ts";
import { messageOf } from "../model/message-of.ts";
import type { ActiveSink } from "./active-sink.ts";
import { malformed } from "./malformed.ts";

/** Returns the requests of a batch, or why there are none: an exception is a bug of the plugin. */
export function render(sink: ActiveSink, batch: Batch): readonly unknown[] | string {
  try {
    const requests: unknown = sink.render(batch);
    if (!Array.isArray(requests)) return `${pluginFailed} to render: it gives no list`;
    const flaw = sink.isHttp ? requests.map(malformed).find((found) => found !== undefined) : undefined;
    return flaw === undefined ? requests : `${pluginFailed} to render a request: ${flaw}`;
  } catch (error) {
    return `${pluginFailed} to render: ${messageOf(error)}`;
  }
}
