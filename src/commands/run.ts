import { runService } from "../pipeline/service.ts";
import { version } from "../runtime/version.ts";
import { commonArgs, defineMlmonCommand, listenArg, stateArg } from "./command.ts";
import { showProgress } from "./progress.ts";

export default defineMlmonCommand({
  name: "run",
  description: "Reads and delivers until stopped, with the status server",
  args: { ...commonArgs, ...stateArg, ...listenArg },
  async run({ config: load, log, signal }) {
    const config = await load("required");
    await runService({
      config,
      log,
      signal,
      onProgress: showProgress(),
      onStarted({ url, stateDir }) {
        log.info("mlmon runs", { version, config: config.origin, status: url, state: stateDir });
        signal.addEventListener("abort", () => log.info("mlmon stops"), { once: true });
      },
    });
    log.info("mlmon has stopped");
  },
});
