import { Buffer } from "node:buffer";
import * as v from "valibot";
import { pointList } from "./answers.ts";
import type { Client } from "./client.ts";
import type { SeriesName } from "./known.ts";
import { MlflowError } from "./mlflow-error.ts";
import type { Point } from "./points.ts";

/** Reads pages of `get-history`, and finds out once per server how it treats offsets. */
export interface HistoryPages {
  /** Reads the points from a position on, at most a page of them; `undefined` when the server knows no offsets. */
  from(series: SeriesName, position: number): Promise<Page | undefined>;
  /** Reads the whole list by the server's own tokens, for servers that know no offsets. */
  whole(series: SeriesName): AsyncGenerator<readonly Point[]>;
}

/** One page of a history, and whether another follows. */
export interface Page {
  readonly points: readonly Point[];
  readonly more: boolean;
}

/** Makes a reader of pages; one per client. `pageSize` is 10 000 but in tests. */
export function createHistoryPages(client: Client, pageSize = 10_000, onIgnored: () => void = () => {}): HistoryPages {
  let offsets: Promise<boolean> | undefined;

  async function request(series: SeriesName, size: number, token?: string) {
    const query = [
      ["run_id", series.run],
      ["metric_key", series.key],
      ["max_results", String(size)],
      ...(token === undefined ? [] : [["page_token", token] as const]),
    ] as const;
    const answer = await client.get("/api/2.0/mlflow/metrics/get-history", query, historyAnswer);
    return { points: answer.metrics, token: answer.next_page_token || undefined };
  }

  /** MLflow up to 3.1.0 ignores size and token and answers with the whole list; others may refuse a token made here. */
  async function probe(series: SeriesName): Promise<boolean> {
    try {
      const { points } = await request(series, 1, offsetToken(1));
      if (points.length <= 1) return true;
    } catch (error) {
      if (!(error instanceof MlflowError) || error.trouble !== "invalid") throw error;
    }
    onIgnored();
    return false;
  }

  return {
    async from(series, position) {
      if (position === 0) {
        const { points, token } = await request(series, pageSize);
        return { points, more: token !== undefined && points.length > 0 };
      }
      offsets ??= probe(series).catch((error) => {
        offsets = undefined;
        throw error;
      });
      if (!(await offsets)) return undefined;
      const { points, token } = await request(series, pageSize, offsetToken(position));
      return { points, more: token !== undefined && points.length > 0 };
    },
    async *whole(series) {
      let token: string | undefined;
      do {
        const page = await request(series, pageSize, token);
        yield page.points;
        // An empty page, or the same token again, would go on for ever (3.1.1 to 3.13).
        if (page.points.length === 0 || page.token === token) return;
        token = page.token;
      } while (token !== undefined);
    },
  };
}

const historyAnswer = v.object({
  metrics: pointList,
  next_page_token: v.optional(v.string()),
});

/** MLflow's token is the base64 of its offset, and it takes one made by others (V on 3.1.4 and later). */
function offsetToken(offset: number): string {
  return Buffer.from(`{"offset": ${offset}}`).toString("base64");
}
