import { after, describe, it } from "node:test";
import { mlmon } from "./mlmon.ts";
import { expectRefusal, surroundings } from "./wrong-use-world.ts";
import { configurations, failures, usages } from "./wrong-uses.ts";

const around = await surroundings();
after(() => around[Symbol.asyncDispose]());

describe("mlmon refuses with status 2 and one message", () => {
  for (const use of [...usages, ...configurations]) {
    it(`${use.name}: mlmon ${use.words.join(" ")}`, () => expectRefusal(mlmon, use));
  }
});

describe("mlmon fails with status 1 and one message", () => {
  for (const use of failures(around)) {
    it(`${use.name}: mlmon ${use.words.join(" ").replace(around.taken, "HOST:PORT")}`, () => expectRefusal(mlmon, use));
  }
});
