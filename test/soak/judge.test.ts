import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, slope } from "./judge.ts";
import type { Measure } from "./monitor.ts";

type Figures = Readonly<Record<string, number>>;

function measure(time: number, figures: Figures): Measure {
  return { time, passed: time * 10, figures: new Map(Object.entries(figures)) };
}

/** A soak of 1000 moments whose figures follow from the moment. */
function judged(figures: (time: number) => Figures): Readonly<Record<string, boolean>> {
  const measures = Array.from({ length: 1001 }, (_, time) => measure(time, figures(time)));
  const verdicts = judge(measure(0, figures(0)), measure(1000, figures(1000)), measures);
  return Object.fromEntries(verdicts.map(({ name, isFlat }) => [name, isFlat]));
}

const steady: Figures = { resident: 100e6, journal: 20e6, "journal in use": 1e6, page: 300, "view: runs": 0 };
/** Goes up and down, and is down at both ends. */
const tide = (time: number) => Math.abs(Math.sin((time * Math.PI) / 10));

describe("judge()", () => {
  it("calls flat what goes up and down and comes back", () => {
    const flat = judged((time) => ({
      resident: 100e6 + 60e6 * tide(time),
      journal: 20e6 + 10e6 * tide(time),
      "journal in use": 1e6 + 5e6 * tide(time),
      page: 300 + 400_000 * tide(time),
      "view: runs": Math.round(1500 * tide(time)),
    }));
    assert.deepEqual(Object.values(flat), [true, true, true, true, true]);
  });

  for (const [name, perRun] of Object.entries({
    resident: 2500,
    "journal in use": 150,
    page: 0.1,
    "view: runs": 0.01,
  })) {
    it(`finds ${perRun} of ${name} that each run leaves behind`, () => {
      const flat = judged((time) => ({ ...steady, [name]: (steady[name] ?? 0) + perRun * time * 10 }));
      assert.deepEqual(
        Object.entries(flat).filter(([, isFlat]) => !isFlat),
        [[name, false]],
      );
    });
  }

  it("finds what grows while runs pass and is gone at the ebb", () => {
    const flat = judged((time) => ({ ...steady, "view: runs": time === 1000 ? 0 : time }));
    assert.equal(flat["view: runs"], false);
  });
});

describe("slope()", () => {
  it("is that of the least-squares line", () => {
    const points = [0, 1, 2, 3].map((x) => [x, 5 + 2 * x + (x % 2)] as const);
    assert.equal(slope(points), 2.2);
    assert.equal(slope([[1, 1]]), 0);
    assert.equal(
      slope([
        [1, 1],
        [1, 2],
        [1, 3],
      ]),
      0,
    );
  });
});
