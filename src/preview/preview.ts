/** What one run of the pipeline would send, without having sent it. */
export interface Preview {
  readonly sinks: readonly SinkPreview[];
  /** What the user should know before sending: many series, names that collide, samples that a sink refuses. */
  readonly warnings: readonly string[];
}

/** What one sink would send. */
export interface SinkPreview {
  readonly id: string;
  readonly type: string;
  /** Samples in all requests. */
  readonly samples: number;
  /** Distinct series among them. */
  readonly series: number;
  /** Bytes of all bodies. */
  readonly bytes: number;
  readonly requests: readonly RequestPreview[];
  /** Requests that `--limit` left out of `requests`; the counts above hold them. */
  readonly omitted: number;
  /** Why some of the samples make no request: a bug of the sink; they would become dead letters, or be refused by `match`. */
  readonly failure?: string;
}

/** One request as it would be sent, with secrets masked. */
export interface RequestPreview {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `base64` when the body is not UTF-8 text. */
  readonly encoding: "utf8" | "base64";
}
