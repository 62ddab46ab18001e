import { createSender } from "../delivery/send.ts";
import { examine, type Finding } from "../doctor/examine.ts";
import { maskSecrets } from "../model/secret.ts";
import { version } from "../runtime/version.ts";
import { commonArgs, defineMlmonCommand, jsonArg, listenArg, print, stateArg } from "./command.ts";

export default defineMlmonCommand({
  name: "doctor",
  description: "Checks MLflow, every sink, the state folder and the port, and says what to mend",
  args: { ...commonArgs, ...jsonArg, ...stateArg, ...listenArg },
  async run({ args, config: load, log, signal }) {
    const config = await load("warn");
    const patience = setTimeout(() => log.info("Waiting for answers: each may take up to 15 s"), 3000);
    const findings: Finding[] = [];
    for await (const finding of examine(config, { send: createSender({ version }), signal })) {
      findings.push(finding);
      if (!args.json) await print(maskSecrets(describe(finding)));
    }
    clearTimeout(patience);
    const problems = findings.flatMap((finding) => finding.problems);
    if (args.json) await print(maskSecrets(`${JSON.stringify({ findings: findings.map(forMachines) })}\n`));
    else await print(`\n${conclusion(problems.length, findings.find(({ next }) => next)?.next)}\n`);
    return problems.some(({ fatal }) => fatal) ? 1 : 0;
  },
});

function describe({ what, facts, problems }: Finding): string {
  const known = facts.map(([name, value]) => `    ${name}: ${value}\n`);
  const wrong = problems.map(({ fatal, message, mend }) => `  ${fatal ? "✗" : "!"} ${message}\n    → ${mend}\n`);
  return `${mark({ facts, problems })} ${what}\n${known.join("")}${wrong.join("")}`;
}

function mark({ facts, problems }: Pick<Finding, "facts" | "problems">): string {
  if (problems.some(({ fatal }) => fatal)) return "✗";
  if (problems.length > 0) return "!";
  return facts.some(([name]) => name === "not checked") ? "–" : "✓";
}

/** With the facts by name. */
function forMachines({ what, facts, problems }: Finding) {
  return { what, facts: Object.fromEntries(facts), problems };
}

function conclusion(problems: number, next = "mlmon dry-run"): string {
  if (problems === 0) return `Nothing to mend. Next: ${next}`;
  return problems === 1 ? "One thing to mend" : `${problems} things to mend`;
}
