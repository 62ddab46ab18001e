import { digestFiles } from "../config/compare.ts";
import { exportOnce } from "../pipeline/export-once.ts";
import { commonArgs, defineMlmonCommand, jsonArg } from "./command.ts";
import { describe, isComplete, patience, tell, timeoutArg } from "./export-result.ts";
import { showProgress } from "./progress.ts";

export default defineMlmonCommand({
  name: "export-once",
  description: "Reads all there is, delivers it, and ends",
  args: {
    ...commonArgs,
    ...jsonArg,
    state: {
      type: "string",
      description: "Remember in this folder what was exported, and export only what is new; all without it",
      valueHint: "DIR",
    },
    ...timeoutArg,
  },
  async run({ args, config: load, log, signal }) {
    const giveUpMs = patience(args.timeout);
    const files: string[] = [];
    const since = Date.now();
    const config = await load("required", (path) => files.push(path));
    const result = await exportOnce({
      config,
      code: digestFiles(files, since),
      log,
      signal,
      giveUpMs,
      stateDir: args.state || undefined,
      onProgress: showProgress(),
    });
    const text = args.json ? `${JSON.stringify(result)}\n` : describe(result, args.state !== undefined);
    await tell(result, config.sinks, text);
    return isComplete(result) && !signal.aborted ? 0 : 1;
  },
});
