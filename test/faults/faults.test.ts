import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bed } from "../beds/bed.ts";
import { programs } from "../e2e/programs.ts";
import { type Act, answer, answerText } from "./acts.ts";
import { play } from "./play.ts";
import { always } from "./receiver.ts";
import { everywhere } from "./receiver-answers.ts";
import { allScenarios } from "./scenarios.ts";
import type { World } from "./world.ts";

const mlflow = await bed("mlflow");
const binary = programs.find(({ name }) => name === "binary");
const skip = mlflow.skip || (binary?.skip ?? "no binary");
const surroundings = { seed: 1, mlflow: mlflow.url, python: mlflow.python, binary: binary?.command[0] ?? "" };

/** `npm run faults` plays all of them. */
const few = [
  "receiver-400-for-one",
  "receiver-503",
  "receiver-reset-after",
  "mlflow-half-a-json",
  "sigkill-5-times",
  "sigterm-amid-a-delivery",
  "state-in-use",
  "journal-truncated",
];

describe("faults, in short", { skip }, () => {
  for (const scenario of allScenarios(5).filter(({ name }) => few.includes(name))) {
    it(`${scenario.name} loses nothing, and doubles no more than it may`, async () => {
      const { misses, log } = await play(scenario, surroundings);
      assert.deepEqual(misses, [], log.join("\n"));
    });
  }

  it("plays every scenario that it names", () => {
    const names = allScenarios(5).map(({ name }) => name);
    assert.deepEqual(
      few.filter((name) => !names.includes(name)),
      [],
    );
    assert.equal(new Set(names).size, names.length);
  });
});

describe("the judge of faults", { skip }, () => {
  const swallow: Act = {
    name: "swallow",
    stores: false,
    at: ["end"],
    perform: (socket) => socket.write(answerText(200, "", {})),
  };
  const lie: Act = { ...answer(503), name: "lie", stores: "told" };
  for (const [act, words] of [
    [swallow, /tally: \d+ lost/],
    [lie, /tally: \d+ doubled, where at most 0 may be/],
  ] as const) {
    it(`sees through a receiver that does this: ${act.name}`, async () => {
      const scenario = { name: act.name, trouble: (world: World) => everywhere(world, always(act)) };
      const { misses } = await play(scenario, { ...surroundings, patienceMs: 3000 });
      assert.match(misses.join("\n"), words);
    });
  }
});
