import { constants, existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { ResolvedConfig } from "../config/resolved.ts";
import { createSender } from "../delivery/send.ts";
import { WorkError } from "../model/errors.ts";
import type { Inspection } from "../model/inspection.ts";
import { checkSink } from "../preview/check-sink.ts";
import { serve } from "../runtime/serve.ts";
import { version } from "../runtime/version.ts";
import { commonArgs, defineMlmonCommand, listenArg, print, stateArg } from "./command.ts";

/** What was looked at, and what was found. */
interface Finding extends Inspection {
  readonly what: string;
}

export default defineMlmonCommand({
  name: "doctor",
  description: "Checks MLflow, every sink, the state folder and the port, and says what to mend",
  args: { ...commonArgs, ...stateArg, ...listenArg },
  async run({ args, config: load, signal }) {
    const config = await load("warn");
    const findings: Finding[] = [];
    async function look(what: string, inspection: Promise<Inspection>): Promise<void> {
      const finding = { what, ...(await inspection) };
      findings.push(finding);
      if (!args.json) await print(describe(finding));
    }
    for (const source of config.sources) {
      await look(`source ${source.id}`, source.create().inspect?.(signal) ?? unchecked());
    }
    const send = createSender({ version });
    for (const sink of config.sinks) await look(`sink ${sink.id}`, checkSink(sink, send, signal));
    await look("state folder", checkStateFolder(config.stateDir ?? ".mlmon"));
    await look("status server", checkPort(config));
    if (args.json) await print(`${JSON.stringify({ findings })}\n`);
    return findings.some(({ problems }) => problems.some(({ fatal }) => fatal)) ? 1 : 0;
  },
});

function describe({ what, facts, problems }: Finding): string {
  const mark = problems.some(({ fatal }) => fatal) ? "✗" : problems.length > 0 ? "!" : "✓";
  const known = facts.map(([name, value]) => `    ${name}: ${value}\n`);
  const wrong = problems.map(({ fatal, message, mend }) => `  ${fatal ? "✗" : "!"} ${message}\n    → ${mend}\n`);
  return `${mark} ${what}\n${known.join("")}${wrong.join("")}`;
}

async function unchecked(): Promise<Inspection> {
  return { facts: [["not checked", "it offers no check"]], problems: [] };
}

/** The folder itself, or the nearest one above it that exists, must be writable. */
async function checkStateFolder(dir: string): Promise<Inspection> {
  let folder = resolve(dir);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const writable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const mend = `make it writable for the user that runs mlmon, or choose another one with --state`;
  return {
    facts: [["path", dir]],
    problems: writable ? [] : [{ message: `"${folder}" cannot be written`, mend, fatal: true }],
  };
}

async function checkPort({ server }: ResolvedConfig): Promise<Inspection> {
  const facts: Inspection["facts"] = [["address", `${server.host}:${server.port}`]];
  try {
    const served = await serve(() => new Response(), { hostname: server.host, port: server.port });
    await served.stop();
    return { facts, problems: [] };
  } catch (error) {
    if (!(error instanceof WorkError)) throw error;
    const mend = "stop what listens there, if it is not mlmon itself, or choose another port";
    return { facts, problems: [{ message: error.message, mend, fatal: false }] };
  }
}
