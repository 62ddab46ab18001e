import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { demoListen } from "../../src/demo/demo-config.ts";
import { UsageError, WorkError } from "../../src/model/errors.ts";
import { serve } from "../../src/runtime/serve.ts";

describe("demoListen()", () => {
  const asked: readonly (readonly [words: readonly string[], variable: string | undefined, listen: string])[] = [
    [["--listen", "127.0.0.1:1234"], undefined, "127.0.0.1:1234"],
    [["--listen=127.0.0.1:1234"], "127.0.0.1:5678", "127.0.0.1:1234"],
    [[], "127.0.0.1:5678", "127.0.0.1:5678"],
  ];
  for (const [words, variable, listen] of asked) {
    it(`takes ${listen} from "${words.join(" ")}" and MLMON_LISTEN=${variable ?? ""}`, async () => {
      assert.deepEqual(await demoListen(words, { MLMON_LISTEN: variable }), { listen, isReplaced: false });
    });
  }

  it("takes a free port when the usual one is in use", async () => {
    // Whoever holds it already does as well.
    const holder = await serve(() => new Response(), { hostname: "127.0.0.1", port: 9890 }).catch((error) => {
      assert.ok(error instanceof WorkError);
    });
    try {
      assert.deepEqual(await demoListen([], {}), { listen: "127.0.0.1:0", isReplaced: true });
    } finally {
      await holder?.stop();
    }
  });

  for (const words of [["--listen"], ["--listen="], ["--listen", "x:y:z"], ["--port", "1"], ["--listen=:1", "more"]]) {
    it(`refuses "${words.join(" ")}"`, () => assert.rejects(demoListen(words, {}), UsageError));
  }
});
