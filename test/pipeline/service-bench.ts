import { resolveConfig } from "../../src/config/resolve.ts";
import { type Config, defineSink, defineSource, type Outcome, v } from "../../src/index.ts";
import { type Log, silentLog } from "../../src/model/log.ts";
import { runService, type Started } from "../../src/pipeline/service.ts";
import { temporaryFolder } from "../beds/wait.ts";

const stops: (() => Promise<unknown>)[] = [];

/** Ends what `serve` has started; called after each test. */
export async function stopServices(): Promise<void> {
  for (const stop of stops.splice(0)) await stop();
}

/** A sink that writes down what happens to it; `deliver` says how a request ends. */
export function spy(id: string, options: { word?: string; setup?: () => void; deliver?: () => Promise<Outcome> } = {}) {
  const { word = "", setup = () => {}, deliver = async () => ({ kind: "delivered" }) as const } = options;
  const told: string[] = [];
  const steps: number[] = [];
  const define = defineSink("spy", v.strictObject({ word: v.string() }), () => ({
    setup() {
      told.push("setup");
      setup();
    },
    close: () => void told.push("close"),
    render: ({ samples }) => [samples.map(({ step }) => step)],
    async deliver(request: readonly number[]) {
      const outcome = await deliver();
      if (outcome.kind === "delivered") steps.push(...request);
      return outcome;
    },
  }));
  return { told, steps, entry: define({ word }, { id, batch: { size: 10 }, retry: { base: "10ms", cap: "20ms" } }) };
}

/** A source of one sample every 2 ms that says when it is read and how; its steps go on where the journal ends. */
export function ticking(id = "ticks") {
  const reads: string[] = [];
  const define = defineSource("ticks", v.strictObject({ word: v.optional(v.string()) }), () => ({
    async *read({ signal, state, polled, consumes }) {
      reads.push(consumes);
      polled({ ok: true, nextMs: 1000 });
      for (let step = Number(state.get("next") ?? 0); !signal.aborted; step++) {
        const time = Date.now();
        state.set("next", String(step + 1));
        yield { time, ended: [], samples: [{ name: id, value: step, time, step }] };
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
  }));
  return { reads, entry: (word?: string) => define({ ...(word && { word }) }, { id }) };
}

/** Runs a service whose configuration is what `next` was last set to; a state folder that is given is kept. */
export async function serve(first: Config, drainMs = 2000, stateDir?: string) {
  const folder = stateDir === undefined ? await temporaryFolder() : { path: stateDir, remove: async () => {} };
  const stop = new AbortController();
  const lines: string[] = [];
  const write = (message: string, fields: object = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { ...silentLog, info: write, warn: write, error: write };
  const resolve = (config: Config) =>
    resolveConfig(
      { ...config, state: folder.path },
      { origin: "test", secrets: "required", listen: config.server?.listen ?? "127.0.0.1:0" },
    );
  let next: Config | (() => Promise<Config>) = first;
  const load = async () => resolve(typeof next === "function" ? await next() : next);
  const { promise: onStarted, resolve: started } = Promise.withResolvers<Started>();
  const options = { load, files: [], since: 0, watch: false };
  const running = runService({
    config: resolve(first),
    log,
    signal: stop.signal,
    drainMs,
    env: {},
    reload: options,
    onStarted: started,
  });
  const end = async () => {
    stop.abort();
    await running;
  };
  stops.push(() => end().finally(() => folder.remove()));
  const service = await Promise.race([onStarted, running.then(() => Promise.reject(new Error("it has ended")))]);
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(service.url + path, init);
    return { status: answer.status, text: await answer.text() };
  };
  return {
    ...service,
    lines,
    ask,
    end,
    stop,
    /** Reloads with this configuration. */
    take(config: Config | (() => Promise<Config>)) {
      next = config;
      return service.reload("test");
    },
  };
}

/** Whether the steps are 0, 1, 2 …: none is missing, doubled or out of order. */
export function isWhole(steps: readonly number[]): boolean {
  return steps.every((step, index) => step === index);
}
