import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../beds/wait.ts";

/** A configuration whose source has three samples of its own, so that no MLflow is needed. */
export const config = (sinks: string, more = "") => `
import { defineSource, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
const time = 1_700_000_000_000;
const run = { id: "a".repeat(32), name: "r", experiment: { id: "1", name: "e" }, status: "running", startTime: time,
  user: "", stage: "None", tags: {}, params: {} } as const;
const three = defineSource("three", v.strictObject({}), () => ({
  async *read({ state }) {
    if (state.get("read")) return;
    state.set("read", "yes");
    const samples = [1, 2, 3].map((step) => ({ name: "loss", value: 1 / step, time: time + step, step, run }));
    yield { time, samples, ended: [], runs: [run] };
  },
}));
${more}
export default { sources: [three()], sinks: [${sinks}] };`;

/** A folder with these files, which goes when it is disposed of. */
export async function folderWith(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return folder;
}
