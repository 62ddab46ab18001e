import type { ResolvedConfig } from "../config/resolved.ts";
import { UsageError } from "../model/errors.ts";
import { collectPreview } from "../preview/collect.ts";
import { formatCurl, formatJson, formatText } from "../preview/format.ts";
import type { Preview } from "../preview/preview.ts";
import { recordedSource } from "../preview/recorded.ts";
import { bodyBytes } from "../preview/request-preview.ts";
import { changedSinks, readSnapshot, writeSnapshot } from "../preview/snapshot.ts";
import { choice, commonArgs, defineMlmonCommand, jsonArg, print } from "./command.ts";
import { showProgress } from "./progress.ts";

const formats = ["text", "json", "curl"] as const;
const format = { text: formatText, json: formatJson, curl: formatCurl };

export default defineMlmonCommand({
  name: "dry-run",
  description: "Prints the exact requests of every sink and sends nothing",
  args: {
    ...commonArgs,
    ...jsonArg,
    sink: { type: "string", description: "Only this sink", valueHint: "ID" },
    limit: {
      type: "string",
      description: "Requests shown for each sink; 10 by default, all with --raw or --snapshot",
      valueHint: "N",
    },
    format: { type: "string", description: "text, json or curl; text by default", valueHint: "FORMAT" },
    raw: { type: "boolean", description: "Only the bodies, byte for byte" },
    input: {
      type: "string",
      description: "Recorded samples (NDJSON) instead of MLflow; - is stdin",
      valueHint: "FILE",
    },
    snapshot: {
      type: "string",
      description: "Compare the payload with this file, made at the first call; status 3 when it differs",
      valueHint: "FILE",
    },
  },
  async run({ args, config: load, log, signal }) {
    refuseTogether(args);
    const chosen = choice("format", args.format, formats) ?? (args.json ? "json" : "text");
    const snapshot = args.snapshot ? readSnapshot(args.snapshot) : undefined;
    const config = withInput(await load("warn"), args.input);
    refuseUnknownSink(config, args.sink);
    const now = snapshot?.now ?? Date.now();
    const preview = await collectPreview({
      config,
      log,
      signal,
      sink: args.sink || undefined,
      limit: args.limit === undefined ? defaultLimit(args) : count("limit", args.limit),
      now: () => now,
      // Recorded samples stand for those to come.
      firstSeen: () => (args.input ? Number.NEGATIVE_INFINITY : now),
      onProgress: showProgress(),
    });
    if (args.snapshot) return gate(args.snapshot, preview, snapshot, now);
    const requests = preview.sinks.flatMap((sink) => sink.requests);
    if (args.raw) for (const request of requests) await print(bodyBytes(request));
    else await print(format[chosen](preview));
    return preview.sinks.some(({ failure }) => failure !== undefined) ? 1 : 0;
  },
});

function defaultLimit({
  raw,
  snapshot,
}: {
  readonly raw?: boolean | undefined;
  readonly snapshot?: string | undefined;
}): number {
  return raw || snapshot ? Number.POSITIVE_INFINITY : 10;
}

/** Each of them decides alone what is printed. */
function refuseTogether(args: Readonly<Record<string, unknown>>): void {
  const given = ["json", "format", "raw", "snapshot"].filter((flag) => args[flag]).map((flag) => `--${flag}`);
  if (given.length > 1) throw new UsageError(`Cannot use ${given.join(" and ")} together: give one of them`);
}

function withInput(config: ResolvedConfig, input: string | undefined): ResolvedConfig {
  if (!input) return config;
  return { ...config, sources: [{ id: "input", type: "input", create: () => recordedSource(input) }] };
}

function refuseUnknownSink({ sinks }: ResolvedConfig, id: string | undefined): void {
  if (!id || sinks.some((sink) => sink.id === id)) return;
  throw new UsageError(`Cannot preview the sink "${id}": expected one of ${sinks.map((sink) => sink.id).join(", ")}`);
}

async function gate(
  path: string,
  preview: Preview,
  snapshot: ReturnType<typeof readSnapshot>,
  now: number,
): Promise<number> {
  if (!snapshot) {
    writeSnapshot(path, preview, now);
    await print(`The payload is kept in "${path}"\n`);
    return 0;
  }
  const changed = changedSinks(preview, snapshot);
  if (changed.length === 0) {
    await print(`The payload is the one in "${path}"\n`);
    return 0;
  }
  const names = changed.map(({ id }) => id).join(", ");
  const lines = changed.map(({ id, before, after }) => `${id}:\n  - ${before}\n  + ${after}\n`);
  await print(`The payload of ${names} differs from "${path}": delete the file to keep the new one\n${lines.join("")}`);
  return 3;
}

function count(flag: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new UsageError(`Cannot use --${flag} "${value}": expected a whole number`);
}
