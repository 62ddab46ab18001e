import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idOf } from "./arrivals.ts";
import { compare } from "./compare.ts";
import { latestOf, watchPage, wrongSeries } from "./pages.ts";
import { createRandom } from "./random.ts";

const points = [0, 1, 2, 3].map((step) => ({ run: "r", key: "loss", value: `${step}`, time: 7 * step, step }));
const [first, second, third, fourth] = points;
const nothing = { lost: 0, doubled: 0, repeatedAtOnce: 0, outOfOrder: 0, strange: 0 };

describe("compare()", () => {
  it("finds nothing in what has arrived once, in order", () => {
    assert.deepEqual(compare(points, points, new Set()), nothing);
  });

  it("counts what is missing or altered as lost, unless it is a dead letter", () => {
    assert.ok(first && second && third && fourth);
    const arrived = [first, { ...second, value: "1.5" }, fourth];
    assert.equal(compare(points, arrived, new Set()).lost, 2);
    assert.equal(compare(points, arrived, new Set([idOf(third)])).lost, 1);
  });

  it("counts what comes again as doubled and what comes late as out of order", () => {
    assert.ok(first && second && third && fourth);
    const arrived = [first, third, second, third, fourth];
    assert.deepEqual(compare(points, arrived, new Set()), { ...nothing, doubled: 1, repeatedAtOnce: 1, outOfOrder: 1 });
  });

  it("counts what came again in a row, of each point once", () => {
    assert.ok(first && second && third && fourth);
    const arrived = [first, first, second, first, second, first, second, third, third, fourth];
    const { doubled, repeatedAtOnce } = compare(points, arrived, new Set());
    assert.deepEqual([doubled, repeatedAtOnce], [6, 2]);
  });

  it("finds what MLflow does not hold, and what is a dead letter though it has arrived", () => {
    assert.ok(second && fourth);
    const arrived = [...points, { ...fourth, value: "4711" }];
    assert.deepEqual(compare(points, arrived, new Set()), { ...nothing, strange: 1 });
    assert.deepEqual(compare(points, arrived, new Set([idOf(second)])), { ...nothing, strange: 2 });
  });
});

describe("watchPage()", () => {
  const line = (value: number) => `mlflow_loss{experiment="e",run_id="0123abcd"} ${value}\n`;

  it("sees a value that goes back, and the last one", () => {
    const watch = watchPage();
    for (const value of [1, 5, 3, 6]) watch.see(line(value));
    assert.equal(watch.wentBack(), 1);
    const point = { run: "0123abcd4567", key: "loss", value: "7", time: 0, step: 7 };
    assert.deepEqual(wrongSeries(latestOf([point]), watch.values()), ["loss 0123abcd"]);
    watch.see(line(7));
    assert.deepEqual(wrongSeries(latestOf([point]), watch.values()), []);
  });
});

describe("createRandom()", () => {
  it("gives the same again for the same seed and name, and something else for others", () => {
    const numbers = (seed: number, name: string) => {
      const random = createRandom(seed, name);
      return Array.from({ length: 5 }, () => random.between(0, 1e6)).join();
    };
    assert.equal(numbers(1, "calm"), numbers(1, "calm"));
    assert.notEqual(numbers(1, "calm"), numbers(2, "calm"));
    assert.notEqual(numbers(1, "calm"), numbers(1, "mixed"));
  });

  it("is not moved by what is asked of its fork", () => {
    const numbers = (asked: number) => {
      const random = createRandom(1, "mixed");
      const fork = random.fork();
      for (let time = 0; time < asked; time++) fork.next();
      return Array.from({ length: 5 }, () => random.next()).join();
    };
    assert.equal(numbers(0), numbers(7));
  });
});
