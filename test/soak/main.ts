/** `npm run soak [-- --runs N --minutes M --rate R --seed S --leak]`; started by `scripts/soak.js`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { createRandom } from "../faults/random.ts";
import { soak } from "./soak.ts";
import { finalLines, measureLine, tableHead } from "./table.ts";
import { simulatedWorld } from "./world.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "50000" },
    minutes: { type: "string", default: "1440" },
    rate: { type: "string", default: "80" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    leak: { type: "boolean", default: false },
  },
});
const program = process.env.MLMON_TEST_BINARY || join(import.meta.dirname, "../../dist/mlmon");
if (!existsSync(program)) throw new Error("dist/mlmon is missing: npm run build");
const [runs, minutes, rate, seed] = [values.runs, values.minutes, values.rate, values.seed].map(Number);
if (!(runs && minutes && rate && seed !== undefined)) throw new Error("--runs, --minutes and --rate take numbers");

console.log(
  `seed ${seed}: ${runs} runs, ${rate} a second, through a simulated MLflow${values.leak ? ", with a leak" : ""}`,
);
const begun = Date.now();
const world = await simulatedWorld();
try {
  console.log(tableHead);
  const random = createRandom(seed, "soak").next;
  const limitMs = minutes * 60_000;
  const result = await soak({
    program,
    world,
    runs,
    perSecond: rate,
    limitMs,
    random,
    leak: values.leak,
    onMeasure: (measure) => console.log(measureLine(measure, begun)),
  });
  for (const line of finalLines(result)) console.log(line);
  if (result.verdicts.some(({ isFlat }) => !isFlat) || result.delivered !== result.written) process.exitCode = 1;
} finally {
  await world.stop();
}
