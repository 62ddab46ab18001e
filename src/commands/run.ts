import process from "node:process";
import { UsageError } from "../model/errors.ts";
import { longestWaitMs, parseDuration } from "../model/option.ts";
import { runService } from "../pipeline/service.ts";
import { version } from "../runtime/version.ts";
import { commonArgs, defineMlmonCommand, listenArg, stateArg } from "./command.ts";
import { showProgress } from "./progress.ts";

const ownArgs = {
  drain: {
    type: "string",
    description: "How long sinks may go on delivering when mlmon is stopped; 10s by default",
    valueHint: "10s",
  },
  watch: { type: "boolean", description: "Load the configuration again when it or a file it imports has changed" },
} as const;

export default defineMlmonCommand({
  name: "run",
  description: "Reads and delivers until stopped, with the status server",
  args: { ...commonArgs, ...stateArg, ...listenArg, ...ownArgs },
  async run({ args, config: load, log, signal }) {
    const drainMs = parseDuration(args.drain ?? "10s");
    if (drainMs === undefined) {
      throw new UsageError(`Cannot use --drain "${args.drain}": expected a duration such as "10s" or "1m"`);
    }
    const files: string[] = [];
    const since = Date.now();
    let reload = () => {};
    // From the start on: by itself it would end the process.
    process.on("SIGHUP", () => reload());
    const config = await load("required", (path) => files.push(path));
    await runService({
      config,
      log,
      signal,
      drainMs: Math.min(drainMs, longestWaitMs),
      reload: { load: (onFile) => load("required", onFile), files, since, watch: args.watch ?? false },
      onProgress: showProgress(),
      onStarted({ url, stateDir, ...started }) {
        // What went wrong is in the log.
        reload = () => void started.reload("SIGHUP").catch(() => undefined);
        log.info("mlmon runs", { version, config: config.origin, status: url, state: stateDir });
        signal.addEventListener("abort", () => log.info("mlmon stops"), { once: true });
      },
    });
    log.info("mlmon has stopped");
  },
});
