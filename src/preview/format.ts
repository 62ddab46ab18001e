import { plural } from "../model/plural.ts";
import type { Preview, RequestPreview, SinkPreview } from "./preview.ts";

/** Prints a preview for people: a heading a sink, then its requests as they would go over the wire. */
export function formatText(preview: Preview): string {
  const sections = preview.sinks.map((sink) =>
    [heading(sink), failure(sink), ...sink.requests.map(requestText), rest(sink)].join(""),
  );
  const warnings = preview.warnings.map((warning) => `warning: ${warning}\n`);
  return [...sections, warnings.join("")].filter((section) => section !== "").join("\n");
}

/** Prints a preview as one JSON document, the shape that scripts may rely on. */
export function formatJson(preview: Preview): string {
  const sinks = preview.sinks.map(({ omitted, ...sink }) => (omitted === 0 ? sink : { ...sink, omitted }));
  return `${JSON.stringify({ sinks, warnings: preview.warnings }, undefined, 2)}\n`;
}

/** Prints every request as a curl command for a POSIX shell; secrets stand as variables of their names. */
export function formatCurl(preview: Preview): string {
  return preview.sinks.map((sink) => `# ${sink.id}\n${sink.requests.map(curl).join("")}${rest(sink, "# ")}`).join("\n");
}

function heading({ id, type, requests, omitted, samples, series, bytes }: SinkPreview): string {
  const name = id === type ? id : `${id} (${type})`;
  const counts = [
    plural(requests.length + omitted, "request"),
    plural(samples, "sample"),
    `${series} series`,
    `${bytes} bytes`,
  ];
  return `== ${name}: ${counts.join(", ")}\n`;
}

function requestText({ method, url, headers, body, encoding }: RequestPreview): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
  const note = encoding === "base64" ? "(base64)\n" : "";
  const end = body === "" || body.endsWith("\n") ? "" : "\n";
  return `\n${`${method} ${url}`.trim()}\n${lines.join("")}\n${note}${body}${end}`;
}

function failure({ failure }: SinkPreview): string {
  return failure === undefined ? "" : `Some of its samples would not be delivered: ${failure}\n`;
}

function rest({ omitted }: SinkPreview, prefix = ""): string {
  return omitted === 0 ? "" : `${prefix}… and ${plural(omitted, "more request")}: raise --limit to see them\n`;
}

/** The body goes through a pipe: one argument holds 128 KiB at most, and a body that begins with @ would name a file. */
function curl({ method, url, headers, body, encoding }: RequestPreview): string {
  if (!/^https?:/i.test(url)) return `# mlmon sends no HTTP request here: ${method} ${url}\n`;
  const flags = Object.entries(headers).map(([name, value]) => ` -H ${headerWord(name, value)}`);
  // Of a body curl would make up a content type.
  if (!Object.keys(headers).some((name) => /^content-type$/i.test(name))) flags.push(" -H 'content-type:'");
  const command = `curl -sSg -X ${method} ${quote(url)}${flags.join("")}`;
  const todo = Object.values(headers).flatMap((value) => value.replace(variable, "").match(/<secret .*>/) ?? []);
  const notes = todo.map((masked) => `# first put its value in the place of ${masked}\n`).join("");
  if (body === "") return `${notes}${command}\n`;
  const decoded = encoding === "base64" ? " | base64 -d" : "";
  return `${notes}printf %s ${quote(body)}${decoded} | ${command} --data-binary @-\n`;
}

/** A header without a value ends with a semicolon, or curl leaves it out. */
function headerWord(name: string, value: string): string {
  if (value === "") return quote(`${name};`);
  return quote(`${name}: ${value}`).replaceAll(variable, `'"$$$1"'`);
}

/** The name of a secret that is a variable, for the shell to put its value there; a Basic login is none. */
const variable = /(?<!Basic )<secret ([A-Z_][A-Z0-9_]*)>/g;

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
