import { Buffer } from "node:buffer";
import { type Batch, classify, defineHttpSink, type HttpRequest, type Outcome, option, secret, v } from "mlmon";
import { cleanText, contentTypes, renderExposition } from "mlmon/prometheus";

const options = v.pipe(
  v.strictObject({
    /** Where the Pushgateway is: `"http://localhost:9091"` or, as in `PROMETHEUS_GATEWAY`, `"localhost:9091"`. */
    endpoint: v.pipe(v.string(), v.trim(), v.transform(withScheme), option.url()),
    /** The label `job` of all that is pushed; `"mlflow_metrics"` by default. */
    job: v.optional(v.pipe(v.string(), v.nonEmpty()), "mlflow_metrics"),
    /**
     * What is replaced in one push. `"job"` (default): everything, in one request, which the gateway checks once:
     * about 10 ms for 1000 series, 1 s for 100 000. `"experiment"`: one group an experiment, so that only experiments
     * with news are pushed; each push still costs the gateway a check of all it holds, so it pays from about 10 000
     * series on, and only when few experiments are active at a time.
     */
    groupBy: v.optional(v.picklist(["job", "experiment"]), "job"),
    /** For a gateway behind basic authentication; goes with `password`. */
    username: v.optional(v.string()),
    password: v.optional(option.secret("password")),
    /** For a gateway behind a proxy that wants `Authorization: Bearer …`. */
    token: v.optional(option.secret("token")),
  }),
  v.check(
    ({ username, password }) => (username === undefined) === (password === undefined),
    "username and password go together",
  ),
  v.check(({ username, token }) => username === undefined || token === undefined, "either username or token"),
);

/**
 * Pushes the latest value of every live series to a Prometheus Pushgateway. Each push replaces its whole group, so
 * series vanish there when their run does, and a group that has emptied is deleted. Nothing carries a timestamp. The
 * scrape job of the gateway needs `honor_labels: true`.
 */
export const pushgateway = defineHttpSink("pushgateway", options, ({ endpoint, job, groupBy, ...login }) => {
  const base = endpoint.replace(/\/+$/, "");
  const authorization = authorize(login);

  function render({ samples, group = "" }: Batch): readonly HttpRequest[] {
    const grouping = group === "" ? [] : [pathLabel("experiment_name", group)];
    const url = [base, "metrics", pathLabel("job", job), ...grouping].join("/");
    if (samples.length === 0) return [{ method: "DELETE", url, headers: authorization }];
    const headers = { "content-type": contentTypes.text, ...authorization };
    return [{ method: "PUT", url, headers, body: renderExposition(samples, { format: "text" }) }];
  }

  return {
    consumes: "latest",
    refreshMs,
    ...(groupBy === "experiment" && { groupBy: (run) => run.experiment.name }),
    render,
    classify: classifyAnswer,
    check: () => ({ method: "GET", url: `${base}/api/v1/status`, headers: authorization }),
  };
});

/** A gateway that was started again holds nothing, perhaps long after all trainings have ended. */
const refreshMs = 300_000;

/** A half would replace the whole group, so nothing is ever split: what is too large waits for someone to mend it. */
async function classifyAnswer(response: Response): Promise<Outcome> {
  const outcome = await classify(response, { statuses: { 400: "rejected", 413: "paused", 422: "rejected" } });
  if (response.status !== 413 || outcome.kind !== "paused") return outcome;
  const mend = 'raise the limit of the proxy before the gateway, lower series.max, or set groupBy: "experiment"';
  return { kind: "paused", reason: `${outcome.reason}: ${mend}` };
}

/** One label of the grouping key; a value that no path can carry (empty, a slash, dots alone) goes in base64. */
function pathLabel(name: string, text: string): string {
  const value = cleanText(text);
  if (value !== "" && !value.includes("/") && !/^\.{1,2}$/.test(value)) return `${name}/${encodeURIComponent(value)}`;
  return `${name}@base64/${Buffer.from(value).toString("base64url") || "="}`;
}

type Login = Pick<v.InferOutput<typeof options>, "username" | "password" | "token">;

function authorize({ username, password, token }: Login): Exclude<HttpRequest["headers"], undefined> {
  if (token) return { authorization: secret.bearer(token) };
  if (username !== undefined && password) return { authorization: secret.basic(username, password) };
  return {};
}

function withScheme(endpoint: string): string {
  return endpoint === "" || endpoint.includes("://") ? endpoint : `http://${endpoint}`;
}
