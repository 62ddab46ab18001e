import { Hono } from "hono";
import { createPramathusReceiver } from "./pramathus-receiver.ts";
import { createPushgatewayReceiver } from "./pushgateway-receiver.ts";

/** The bearer token that the demo's Pramathus asks for. */
export const demoKey = "demo-key-of-npm-start";

/** What the demo delivers to. */
export interface Receivers {
  readonly app: Hono;
  counts(): ReceiverCounts;
}

/** What has arrived so far. */
export interface ReceiverCounts {
  /** Samples that Pramathus was given. */
  readonly samples: number;
  /** Series that the Pushgateway holds. */
  readonly series: number;
  /** Requests that either has refused. */
  readonly refused: number;
}

/** Makes a Pramathus and a Pushgateway under one address, which shows at `/` what they hold, as JSON that people can read, too. */
export function createReceivers(): Receivers {
  const app = new Hono();
  const pramathus = createPramathusReceiver(demoKey);
  const gateway = createPushgatewayReceiver();
  app.route("/", pramathus.app);
  app.route("/", gateway.app);
  app.get("/", (c) => {
    const groups = [...gateway.groups.values()].map(({ labels, series }) => ({ labels, series }));
    const newest = Object.fromEntries([...pramathus.newest].slice(-20).map(([series, { value }]) => [series, value]));
    const held = { pramathus: { ...pramathus.counts, newest }, pushgateway: { ...gateway.counts, groups } };
    return c.body(`${JSON.stringify(held, null, 2)}\n`, 200, { "content-type": "application/json" });
  });
  return {
    app,
    counts: () => ({
      samples: pramathus.counts.samples,
      series: [...gateway.groups.values()].reduce((sum, { series }) => sum + series, 0),
      refused: pramathus.counts.refused + gateway.counts.refused,
    }),
  };
}
