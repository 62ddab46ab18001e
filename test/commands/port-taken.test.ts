import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { serve } from "../../src/runtime/serve.ts";
import { config, folderWith } from "./fixed-samples.ts";
import { mlmon } from "./mlmon.ts";

describe("mlmon run on a port that is taken", () => {
  it("leaves no state folder behind that was not there before", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": config("prometheus()") });
    const other = await serve(() => new Response("taken"), { hostname: "127.0.0.1", port: 0 });
    const { status, stderr } = await mlmon(["run", "--listen", `127.0.0.1:${other.port}`], { cwd: folder.path });
    await other.stop();
    assert.equal(status, 1);
    assert.match(stderr, /Cannot listen on 127\.0\.0\.1:\d+: the port is in use/);
    assert.deepEqual(await readdir(folder.path), ["mlmon.config.ts"]);
  });
});
