import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { bed } from "../beds/bed.ts";
import { createRandom } from "../faults/random.ts";
import { soak } from "../soak/soak.ts";
import { finalLines } from "../soak/table.ts";
import { realWorld } from "../soak/world.ts";

const program = process.env.MLMON_TEST_BINARY || join(import.meta.dirname, "../../dist/mlmon");
const { skip, url } = await bed("mlflow");
const missing = existsSync(program) ? false : "dist/mlmon is missing: npm run build";

const runs = 150;

describe("the binary, while runs of a real MLflow pass through", { skip: skip || missing }, () => {
  it("loses nothing and keeps nothing but what MLflow's trash may give back", { timeout: 170_000 }, async () => {
    const result = await soak({
      program,
      world: realWorld(url),
      runs,
      perSecond: 10,
      random: createRandom(1, "short soak").next,
      lifeMs: [300, 1200],
      retentionMs: 1000,
      warmUp: 20,
      // A slow machine lets fewer through.
      limitMs: 15_000,
      parts: 4,
      calmMs: 6000,
    });
    const table = finalLines(result).join("\n");
    assert.ok(result.passed > result.first.passed, table);
    assert.equal(result.delivered, result.written, table);
    // This MLflow removes nothing for good, so the state of its deleted runs stays: a row a run and two a series.
    const kept = result.passed - result.first.passed;
    for (const { name, first, last, most } of result.verdicts) {
      if (name === "source/mlflow: state") assert.ok(last - first <= 8 * kept, table);
      else if (name === "journal in use") assert.ok(last - first <= 4000 * kept, table);
      // So few runs do not bring the runtime to its working size.
      else if (name === "resident") assert.ok(last < first + 100e6, table);
      else assert.ok(last <= most, `${name} grows\n${table}`);
    }
    assert.deepEqual(result.warnings, []);
  });
});
