/** The text format 0.0.4 that everything reads, or OpenMetrics 1.0. */
export type ExpositionFormat = "text" | "openmetrics";

/** The content type that belongs to each format. */
export const contentTypes: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/**
 * Picks the format for an `Accept` header: OpenMetrics only for a reader that names it, and likes it no less than the
 * text format (RFC 9110, section 12.5.1).
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  let text = 0;
  let openMetrics = 0;
  for (const { value, parameters, quality } of readAccept(accept)) {
    const version = parameters.get("version");
    if (value === "application/openmetrics-text" && (version === undefined || version === "1.0.0")) {
      openMetrics = Math.max(openMetrics, quality);
    }
    if (value === "text/plain" && (version === undefined || version === "0.0.4")) text = Math.max(text, quality);
  }
  return openMetrics > 0 && openMetrics >= text ? "openmetrics" : "text";
}

/** Says whether an `Accept-Encoding` header takes gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const accepted = [...readAccept(acceptEncoding)];
  const named = accepted.find(({ value }) => value === "gzip") ?? accepted.find(({ value }) => value === "*");
  return named !== undefined && named.quality > 0;
}

interface Accepted {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

function* readAccept(header = ""): Generator<Accepted> {
  for (const part of header.split(",")) {
    const [value = "", ...rest] = part.split(";");
    const parameters = new Map(rest.map(readParameter));
    const quality = Number(parameters.get("q") ?? 1);
    if (value.trim() !== "") {
      yield { value: value.trim().toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
    }
  }
}

function readParameter(text: string): [name: string, value: string] {
  const [name = "", value = ""] = text.split("=");
  return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, "$1")];
}
