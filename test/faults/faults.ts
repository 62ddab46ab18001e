/** `npm run faults`: breaks everything around a running mlmon and prints what was lost, doubled and out of order. */
import { parseArgs } from "node:util";
import { bed } from "../beds/bed.ts";
import { programs } from "../e2e/programs.ts";
import { type Played, play } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { allScenarios } from "./scenarios.ts";
import { table } from "./table.ts";

const { values, problem } = readArgs();
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const parallel = Number(values.parallel ?? 3);
const all = allScenarios(Number(values.kills ?? 100));
const only = values.only?.split(",");
const wanted = all.filter(({ name }) => !only || only.some((part) => name === part || name.startsWith(`${part}-`)));
const wrong = problem ?? (wanted.length === 0 ? `No scenario is called "${values.only}": see --list` : undefined);
if (wrong !== undefined) console.error(wrong);
process.exitCode = wrong !== undefined ? 2 : values.list ? list() : await playAll(wanted);

function readArgs() {
  const options = {
    seed: { type: "string" },
    only: { type: "string" },
    kills: { type: "string" },
    parallel: { type: "string" },
    list: { type: "boolean" },
  } as const;
  try {
    const { values } = parseArgs({ options });
    const numbers = [values.seed, values.kills, values.parallel];
    const isWrong = numbers.some((text) => text !== undefined && !/^\d+$/.test(text));
    return { values, problem: isWrong ? "--seed, --kills and --parallel take whole numbers" : undefined };
  } catch (error) {
    return { values: {}, problem: error instanceof Error ? error.message : String(error) };
  }
}

function list(): number {
  for (const { name } of all) console.log(name);
  return 0;
}

async function playAll(scenarios: readonly Scenario[]): Promise<number> {
  const mlflow = await bed("mlflow");
  const binary = programs.find(({ name }) => name === "binary");
  if (mlflow.skip || !binary || binary.skip) throw new Error(`Cannot play: ${mlflow.skip || binary?.skip}`);
  const surroundings = { seed, mlflow: mlflow.url, binary: binary.command[0], python: mlflow.python };
  console.log(`seed ${seed}, ${scenarios.length} scenarios`);
  const results = new Map<string, Played>();
  const skipped: string[] = [];
  const queue = [...scenarios];
  async function work(): Promise<void> {
    for (let scenario = queue.shift(); scenario; scenario = queue.shift()) {
      const lack = await scenario.lacking?.();
      if (lack) {
        skipped.push(`SKIPPED ${scenario.name}: ${lack}`);
        console.log(skipped.at(-1));
        continue;
      }
      const played = await play(scenario, surroundings);
      results.set(scenario.name, played);
      console.log(`${played.misses.length > 0 ? "MISSED" : "ok    "} ${scenario.name}`);
      for (const miss of played.misses) console.log(`       ${miss}`);
      if (played.misses.length > 0) for (const line of played.log) console.log(`         mlmon: ${line}`);
    }
  }
  await Promise.all(Array.from({ length: parallel }, work));
  await mlflow.stop();
  const played = scenarios.flatMap(({ name }) => results.get(name) ?? []);
  console.log(`\n${table(played)}\n`);
  for (const line of skipped) console.log(line);
  const missed = played.filter(({ misses }) => misses.length > 0).length;
  console.log(`seed ${seed}: ${played.length} scenarios, ${missed} missed the bar, ${skipped.length} skipped`);
  return missed > 0 ? 1 : 0;
}
