// Started by configs.test.ts: loads a configuration that may never give the thread back.
import process from "node:process";
import { loadConfig } from "../../src/config/load.ts";

const [, , cwd = "", file] = process.argv;
await loadConfig({ file, cwd, env: {}, secrets: "warn", patienceMs: 600 });
