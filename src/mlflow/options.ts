import { env as environment } from "node:process";
import * as v from "valibot";
import { option, waitingTime } from "../model/option.ts";
import { type Secret, secret } from "../model/secret.ts";

/** Options of the MLflow source. Those with a variable of MLflow's client default to it. */
export const mlflowOptions = v.strictObject({
  /**
   * Address of the MLflow server, with the path when it runs under `--static-prefix`.
   * `MLFLOW_TRACKING_URI`, else `"http://localhost:5000"` by default.
   */
  trackingUri: v.optional(trackingUri(), () => variable("MLFLOW_TRACKING_URI") ?? "http://localhost:5000"),
  /** Time between two polls; `"60s"` by default. Two requests each when nothing has happened. */
  interval: v.optional(v.pipe(waitingTime(), v.minValue(100, "at least 100ms")), "60s"),
  /** Reads only the N most recently created experiments that hold runs; all by default. */
  maxExperiments: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** Reads only experiments whose name matches one of these; `*` stands for any characters. All by default. */
  experiments: v.optional(v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1))),
  /** Reads only experiments that carry all these tags: `{ team: "vision" }`. All by default. */
  tags: v.optional(v.record(v.string(), v.string())),
  /** Reads MLflow's system metrics too, keys that begin with `system/`; `false` by default. */
  systemMetrics: v.optional(v.boolean(), false),
  /**
   * User name for Basic authentication; `MLFLOW_TRACKING_USERNAME`, else the one in `~/.mlflow/credentials` by default.
   * Wins over `token`.
   */
  username: v.optional(v.string(), () => variable("MLFLOW_TRACKING_USERNAME")),
  /** Password for Basic authentication; `MLFLOW_TRACKING_PASSWORD`, else as for `username`, by default. */
  password: v.optional(option.secret("password"), () => secretVariable("MLFLOW_TRACKING_PASSWORD")),
  /** Bearer token; `MLFLOW_TRACKING_TOKEN` by default. */
  token: v.optional(option.secret("token"), () => secretVariable("MLFLOW_TRACKING_TOKEN")),
  /** PEM file with the certificates to trust; `MLFLOW_TRACKING_SERVER_CERT_PATH` by default. */
  caFile: v.optional(v.string(), () => variable("MLFLOW_TRACKING_SERVER_CERT_PATH")),
  /** PEM file with a client certificate and its key; `MLFLOW_TRACKING_CLIENT_CERT_PATH` by default. */
  clientCert: v.optional(v.string(), () => variable("MLFLOW_TRACKING_CLIENT_CERT_PATH")),
  /** `false` accepts any server certificate: anyone on the way can read along. `MLFLOW_TRACKING_INSECURE_TLS`. */
  verify: v.optional(v.boolean(), () => !/^(true|1)$/i.test(variable("MLFLOW_TRACKING_INSECURE_TLS") ?? "")),
  /** The workspace to read, on servers that have them; `MLFLOW_WORKSPACE`, else the server's default. */
  workspace: v.optional(v.string(), () => variable("MLFLOW_WORKSPACE")),
  /** Requests in flight at most; 4 by default. More is faster and loads the server more. */
  concurrency: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64)), 4),
  /** How long one request may take; `"60s"` by default. */
  timeout: v.optional(v.pipe(waitingTime(), v.minValue(100, "at least 100ms")), "60s"),
  /** `"latest"` reads no history; by default that follows from whether any sink wants points. */
  include: v.optional(v.picklist(["history", "latest"])),
});

/** The same after the check: durations in ms. */
export type MlflowOptions = v.InferOutput<typeof mlflowOptions>;

function trackingUri() {
  return v.pipe(
    v.string(),
    v.check(
      (text) => !/^(sqlite|postgres\w*|mysql\w*|mssql\w*|file|databricks)\b.*:|^[./~]|^mlruns/.test(text),
      'an http:// or https:// address: reading a database, a folder or Databricks directly is not supported in this version, so start "mlflow server" on it and give its address',
    ),
    v.check(
      (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
      "an http:// or https:// address, such as http://localhost:5000",
    ),
  );
}

function variable(name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}

function secretVariable(name: string): Secret | undefined {
  return variable(name) === undefined ? undefined : secret.env(name);
}
