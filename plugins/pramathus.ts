/**
 * Pramathus: every sample as JSON, by POST to one endpoint.
 *
 * The body is `{ timestamp, source: "mlflow", metrics: [{ name, value, timestamp, metadata: { run_id, experiment_name,
 * step, tags } }] }`; all names are always present, times are Unix ms, `run_id` is the full id.
 *
 * @module
 */
import { defineHttpSink, option, type Run, type Sample, secret, v } from "mlmon";

const options = v.strictObject({
  /** Where to POST. */
  endpoint: option.url(),
  /** Sent as `Authorization: Bearer …`; no such header by default. */
  apiKey: v.optional(option.secret("pramathus.apiKey")),
  /**
   * What becomes of NaN and ±Infinity, which JSON cannot hold: `"null"` (default), `"text"` (`"NaN"`, `"Infinity"`,
   * `"-Infinity"`), or `"skip"`, which counts them as refused.
   */
  nonFinite: v.optional(v.picklist(["null", "text", "skip"]), "null"),
  /** Which tags of the run go along: `"user"` (all but MLflow's own `mlflow.…`; default), `"all"`, `"none"`, or names. */
  tags: v.optional(v.union([v.picklist(["user", "all", "none"]), v.array(v.string())]), "user"),
});

/** Delivers every sample to a Pramathus endpoint, 100 a request. */
export const pramathus = defineHttpSink("pramathus", options, ({ endpoint, apiKey, nonFinite, tags }) => {
  const headers = {
    "content-type": "application/json",
    ...(apiKey && { authorization: secret.bearer(apiKey) }),
  };
  return {
    consumes: "points",
    limits: { samples: 100 },
    refuse({ run, value }) {
      if (!run) return "no_run";
      return nonFinite === "skip" && !Number.isFinite(value) ? "not_finite" : undefined;
    },
    render({ time, samples }) {
      if (samples.length === 0) return [];
      const tagsOf = memoized((run: Run) => chosenTags(run, tags));
      const metrics = samples.map((sample) => metricOf(sample, nonFinite === "text", tagsOf));
      return [
        {
          method: "POST",
          url: endpoint,
          headers,
          body: JSON.stringify({ timestamp: time, source: "mlflow", metrics }),
        },
      ];
    },
    check: () => ({
      method: "POST",
      url: endpoint,
      headers,
      body: JSON.stringify({ timestamp: 0, source: "mlflow", metrics: [] }),
    }),
  };
});

function metricOf({ name, value, time, step, run, labels }: Sample, asText: boolean, tagsOf: (run: Run) => object) {
  const tags = run ? tagsOf(run) : {};
  return {
    name,
    // JSON.stringify writes null for what is not finite
    value: asText && !Number.isFinite(value) ? String(value) : value,
    timestamp: time,
    metadata: {
      run_id: run?.id ?? "",
      experiment_name: run?.experiment.name ?? "",
      step,
      tags: labels ? { ...tags, ...labels } : tags,
    },
  };
}

function chosenTags(
  { tags }: Run,
  choice: "user" | "all" | "none" | readonly string[],
): Readonly<Record<string, string>> {
  if (choice === "all") return tags;
  if (choice === "none") return {};
  const wanted =
    choice === "user" ? (name: string) => !name.startsWith("mlflow.") : (name: string) => choice.includes(name);
  return Object.fromEntries(Object.entries(tags).filter(([name]) => wanted(name)));
}

/** The samples of a run share one object, so its tags are chosen once a batch. */
function memoized<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
