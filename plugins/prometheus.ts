import { Buffer } from "node:buffer";
import type { Hono, Context as Scrape } from "hono";
import { type Batch, defineSink, type Outcome, type SinkContext, v } from "mlmon";
import {
  acceptsGzip,
  contentTypes,
  createReaders,
  gzipPage,
  negotiateFormat,
  type PackedPart,
  packPart,
  renderExposition,
  toOpenMetrics,
} from "mlmon/prometheus";

const options = v.strictObject({
  /** Where on the status server the page is; `"/metrics"` by default. */
  path: v.optional(v.pipe(v.string(), v.startsWith("/")), "/metrics"),
});

/** Slow readers at a time; one more drops the one who has been reading for the longest. */
const maxReaders = 16;

/** The page as `dry-run` shows it: what a scrape gets, without mlmon's own series. */
interface Page {
  readonly method: "GET";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Serves the latest value of every live series on the status server, for Prometheus and whatever scrapes like it, with
 * mlmon's own series after them. Text 0.0.4, or OpenMetrics 1.0 for those who ask for it; gzip.
 */
export const prometheus = defineSink("prometheus", options, ({ path }) => {
  let ctx: SinkContext | undefined;
  // A slow reader must hold neither a copy of a page of 17 MB nor an old one for long.
  const readers = createReaders({ max: maxReaders });
  let page: Uint8Array<ArrayBuffer> = new Uint8Array();
  let packed: Promise<PackedPart> | undefined;

  // All series of the page are gauges, so that the two formats differ only in what follows the page.
  function render({ samples }: Batch): readonly Page[] {
    const body = renderExposition(samples, { format: "text" });
    return [{ method: "GET", url: path, headers: { "content-type": contentTypes.text }, body }];
  }

  async function deliver({ body }: Page): Promise<Outcome> {
    page = body;
    packed = undefined;
    return { kind: "delivered" };
  }

  async function answer(scrape: Scrape): Promise<Response> {
    const format = negotiateFormat(scrape.req.header("accept"));
    const own = (await ctx?.ownMetrics()) ?? "";
    const rest = Buffer.from(format === "text" ? own : `${toOpenMetrics(own)}# EOF\n`);
    const headers = { "content-type": contentTypes[format], vary: "Accept, Accept-Encoding" };
    if (!acceptsGzip(scrape.req.header("accept-encoding"))) {
      return new Response(readers.body([page, rest]), { headers });
    }
    packed ??= packPart(page);
    const parts = gzipPage(await packed, rest);
    return new Response(readers.body(parts), { headers: { ...headers, "content-encoding": "gzip" } });
  }

  return {
    consumes: "latest",
    pulled: true,
    entries: () => ({ readers: { count: readers.count(), max: maxReaders } }),
    setup(context) {
      ctx = context;
    },
    render,
    deliver,
    serve(app: Hono) {
      app.get(path, answer);
    },
  };
});
