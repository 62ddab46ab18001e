// What must compile and what must not: checked by tsc alone, never run. The typed API is the product.
import {
  type Batch,
  type Config,
  defineConfig,
  defineHttpSink,
  defineSink,
  defineSource,
  defineTransform,
  env,
  filter,
  label,
  mlflow,
  type Outcome,
  rename,
  type Sample,
  type SinkEntry,
  type SourceEntry,
  secret,
  type TransformEntry,
  thin,
  v,
} from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles when the two types are the same. */
declare function same<A, B>(answer: Equal<A, B>): void;

const sources = [mlflow()];
const sinks = [prometheus()];

// A configuration is an object, a promise, or a function of either; falsy entries are skipped.
defineConfig({ sources, sinks });
defineConfig(Promise.resolve({ sources, sinks }));
defineConfig(() => ({ sources, sinks }));
defineConfig(async () => ({ sources, sinks }));
const endpoint = env("ENDPOINT", "");
const isProduction: boolean = endpoint !== "";
defineConfig({
  sources: [isProduction && mlflow({ trackingUri: "http://localhost:5000", interval: "60s", maxExperiments: 10 })],
  transforms: [null, undefined, filter((sample) => !sample.name.startsWith("debug/"))],
  sinks: [prometheus(), endpoint && pushgateway({ endpoint, job: "mlflow_metrics" }), false],
  series: { retention: "30d", max: 100_000 },
  server: { listen: "127.0.0.1:9890", token: secret.env("MLMON_TOKEN") },
});

// @ts-expect-error a misspelt part
defineConfig({ sources, sinks, sereis: {} });
// @ts-expect-error a misspelt part beside a promise of it
defineConfig(Promise.resolve<Config>({ sources, sinks, transform: [] }));
// @ts-expect-error no sinks
defineConfig({ sources });
// @ts-expect-error a sink among the sources
defineConfig({ sources: [prometheus()], sinks });
// @ts-expect-error a source among the sinks
defineConfig({ sources, sinks: [mlflow()] });
// @ts-expect-error a transform among the sinks
defineConfig({ sources, sinks: [filter(() => true)] });
// @ts-expect-error a sink among the transforms
defineConfig({ sources, transforms: [prometheus()], sinks });
// @ts-expect-error a factory that was not called
defineConfig({ sources: [mlflow], sinks });
// @ts-expect-error a misspelt option of a part
defineConfig({ sources, sinks, series: { retentoin: "30d" } });
// @ts-expect-error the only value of auth is "none"
defineConfig({ sources, sinks, server: { auth: "some" } });
// @ts-expect-error a token in the clear
defineConfig({ sources, sinks, server: { token: "abc" } });

// Options: misspelt, missing, of another type.
// @ts-expect-error a misspelt option
mlflow({ trackingUrl: "http://localhost:5000" });
// @ts-expect-error a text for a number
mlflow({ maxExperiments: "10" });
// @ts-expect-error not one of the values
mlflow({ include: "some" });
// @ts-expect-error a missing option
pramathus({});
// @ts-expect-error all options missing
pramathus();
// @ts-expect-error a misspelt option
pushgateway({ endpoint: "x", jobName: "x" });

// Delivery options are the same for every sink, and of a sink alone.
prometheus({}, { id: "a", match: (sample: Sample) => sample.step > 0 });
pramathus({ endpoint: "x" }, { batch: { size: 100, bytes: "1MiB", interval: "5s" }, timeout: 10, retry: { base: 1 } });
// @ts-expect-error a misspelt delivery option
pramathus({ endpoint: "x" }, { tiemout: "10s" });
// @ts-expect-error a misspelt delivery option, nested
pramathus({ endpoint: "x" }, { batch: { sise: 1 } });
// @ts-expect-error a delivery option of a source
mlflow({}, { timeout: "10s" });

// Transforms.
filter((sample) => sample.run?.experiment.name === "vision");
// @ts-expect-error a sample has no such part
filter((sample) => sample.key === "loss");
// @ts-expect-error a text is no answer
filter((sample) => sample.name);
rename({ "val/loss": "validation_loss" });
rename((sample) => sample.name.toLowerCase());
// @ts-expect-error a number is no name
rename(() => 5);
label({ team: "vision" });
label((sample) => ({ team: sample.run?.tags.team ?? "none" }));
label((sample) => ({ parent: sample.run?.tags["mlflow.parentRunId"] }));
// @ts-expect-error a label is a text
label({ team: 5 });
thin({ interval: "10s" });
// @ts-expect-error the interval is missing
thin({});

// A user's own parts: everything is inferred from the schema.
const ntfy = defineHttpSink("ntfy", v.strictObject({ topic: v.string() }), ({ topic }) => ({
  render: (batch) =>
    batch.samples.map((s) => ({ method: "POST", url: `https://ntfy.sh/${topic}`, body: `${s.name} = ${s.value}` })),
}));
same<ReturnType<typeof ntfy>, SinkEntry>(true);
ntfy({ topic: "x" }, { id: "a" });
// @ts-expect-error a misspelt option
ntfy({ topik: "x" });
// @ts-expect-error a missing option
ntfy();

// @ts-expect-error a method HTTP has not
defineHttpSink("x", v.strictObject({}), () => ({ render: () => [{ method: "SEND", url: "x" }] }));
// @ts-expect-error no render
defineHttpSink("x", v.strictObject({}), () => ({}));
defineHttpSink("x", v.strictObject({}), () => ({
  render: () => [],
  // @ts-expect-error an outcome there is not
  classify: () => ({ kind: "done" }),
}));

const file = defineSink("file", v.strictObject({ path: v.optional(v.string(), "out") }), ({ path }) => {
  same<typeof path, string>(true);
  return {
    render: (batch) => batch.samples.map(({ name }) => name),
    async deliver(line, { signal }) {
      same<typeof line, string>(true);
      same<typeof signal, AbortSignal>(true);
      return { kind: "delivered" };
    },
  };
});
file();
same<ReturnType<typeof file>, SinkEntry>(true);

const double = defineTransform("double", v.strictObject({ by: v.number() }), ({ by }) => (batch, { state }) => {
  same<typeof batch, Batch>(true);
  state.set("last", String(batch.time));
  return { ...batch, samples: batch.samples.map((sample) => ({ ...sample, value: sample.value * by })) };
});
same<ReturnType<typeof double>, TransformEntry>(true);

const clock = defineSource("clock", v.strictObject({ every: v.optional(v.number(), 1) }), ({ every }) => ({
  async *read({ now }) {
    yield { time: now(), samples: [{ name: "tick", value: every, time: now(), step: 0 }], ended: [] };
  },
}));
same<ReturnType<typeof clock>, SourceEntry>(true);
defineConfig({ sources: [clock()], transforms: [double({ by: 2 })], sinks: [file(), ntfy({ topic: "x" })] });
// @ts-expect-error a batch is not changed in place
defineTransform("bad", v.strictObject({}), () => (batch) => batch.samples.push());

// An outcome is one of a closed list.
export const outcomes: readonly Outcome[] = [
  { kind: "delivered" },
  { kind: "retry", reason: "busy", afterMs: 1000 },
  { kind: "rejected", reason: "bad" },
  { kind: "paused", reason: "401" },
  { kind: "split", reason: "413" },
  // @ts-expect-error a retry says why
  { kind: "retry" },
];
