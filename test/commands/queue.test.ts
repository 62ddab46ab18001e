import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { until } from "../beds/wait.ts";
import { bad, openQueueWorld, type QueueWorld, type WorldOptions } from "./queue-world.ts";

const opened: QueueWorld[] = [];
afterEach(async () => {
  for (const world of opened.splice(0)) await world.close();
});

async function open(options?: WorldOptions): Promise<QueueWorld> {
  const world = await openQueueWorld(options);
  opened.push(world);
  return world;
}

const all = [...Array(20).keys()];
const good = all.filter((step) => !bad(step));
const inOrder = (steps: readonly number[]) => steps.toSorted((one, other) => one - other);
const allDead = (world: QueueWorld) => until(async () => (await world.sink()).deadLetters.http_422 === 12);

describe("mlmon queue, beside a running mlmon", () => {
  it("shows refused samples with the receiver's words, and replays them: none lost, none doubled", async () => {
    const world = await open();
    const log = await world.running(async () => {
      await allDead(world);
      const shown = await world.queue();
      assert.match(shown.stdout, /^mlmon runs; the journal holds/);
      assert.match(shown.stdout, /^pramathus +idle +0 +0 B +12 http_422$/m);
      const peeked = await world.queue("peek", "--dead", "--limit", "1");
      assert.match(peeked.stdout, /loss +2 +2 +422: the receiver says "step is out of luck"/);
      assert.equal(peeked.stdout.trim().split("\n").length, 2);
      assert.deepEqual(inOrder(world.steps()), good);

      const refusedAgain = await world.queue("replay");
      assert.match(refusedAgain.stdout, /^Sent back to delivery: 12 samples: pramathus http_422 12\n$/);
      await allDead(world);
      world.ill = false;
      const replayed = await world.queue("replay", "--sink", "pramathus", "--reason", "http_422", "--json");
      assert.deepEqual(JSON.parse(replayed.stdout).running, true);
      await until(() => world.steps().length === 20);
      assert.deepEqual(inOrder(world.steps()), all);
      await until(async () => Object.keys((await world.sink()).deadLetters).length === 0);
    });
    assert.doesNotMatch(log, /does not add up/);
    assert.match(log, /Dead letters are delivered again +sink=pramathus reason=http_422 samples=12/);
  });

  it("is killed amid a replay: none lost, none doubled", async () => {
    const world = await open({ count: 100, host: "{ batch: { size: 7 } }" });
    await world
      .running(async (pid) => {
        await until(async () => (await world.sink()).deadLetters.http_422 === 60);
        Object.assign(world, { ill: false, hangsAt: 61 });
        await world.queue("replay");
        await until(() => world.receiver.received.at(-1)?.stored === false && world.steps().length >= 61);
        process.kill(pid, "SIGKILL");
      })
      .catch(() => undefined);
    const { replaying, waiting } = await world.sink();
    assert.deepEqual([replaying, waiting], [39, 39]);
    world.hangsAt = Number.POSITIVE_INFINITY;
    const log = await world.running(async () => void (await until(async () => (await world.sink()).waiting === 0)));
    assert.doesNotMatch(log, /does not add up/);
    assert.deepEqual(inOrder(world.steps()), [...Array(100).keys()]);
  });

  it("drops what waits for a sink that is away", async () => {
    const world = await open({ host: "{ batch: { size: 10 }, retry: { cap: '100ms' } }" });
    await world.receiver.stop();
    const log = await world.running(async () => {
      await until(async () => (await world.sink()).state === "retrying");
      const { stdout } = await world.queue("drop", "--waiting", "--yes", "--sink", "pramathus");
      assert.equal(stdout, "Dropped 20 samples: pramathus by_hand 20\n");
      await until(async () => (await world.sink()).waiting === 0);
    });
    assert.doesNotMatch(log, /does not add up/);
    assert.match(log, /What waits for a sink is dropped by hand +sink=pramathus reason=by_hand samples=20/);
  });

  it("drops what waits for a paused sink at once, not at its next try", async () => {
    const world = await open();
    world.locked = true;
    await world.running(async () => {
      await until(async () => (await world.sink()).state === "paused");
      await world.queue("drop", "--waiting", "--yes", "--sink", "pramathus");
      await until(async () => (await world.sink()).waiting === 0, 10_000);
      assert.equal((await world.sink()).state, "idle");
    });
    assert.equal(world.steps().length, 0);
  });

  it("reaches it without its token, which only the state folder gives", async () => {
    const world = await open({ rest: 'server: { token: "a very long token" },' });
    world.ill = true;
    await world.running(async () => {
      await allDead(world);
      assert.equal((await world.queue("drop", "--yes", "--reason", "out of luck")).stdout, dropped);
      assert.deepEqual((await world.sink()).deadLetters, {});
    });
    assert.deepEqual(inOrder(world.steps()), good);
  });
});

const dropped = "Dropped 12 samples: pramathus http_422 12\n";

describe("mlmon queue, with a stopped mlmon", () => {
  it("replays at the next start what is asked for while it is stopped", async () => {
    const world = await open();
    await world.running(async () => void (await allDead(world)));
    const before = await world.sink();
    assert.deepEqual([before.state, before.waiting, before.deadLetters], ["stopped", 0, { http_422: 12 }]);
    world.ill = false;
    const replayed = await world.queue("replay", "--since", "1h");
    assert.match(replayed.stdout, /^Sent to be delivered when mlmon runs next: 12 samples/);
    const { waiting, replaying, oldestSeconds, deadLetters } = await world.sink();
    assert.deepEqual([waiting, replaying, deadLetters], [12, 12, {}]);
    assert.ok(oldestSeconds !== null && oldestSeconds < 30, `${oldestSeconds}`);
    assert.match((await world.queue("peek")).stdout, /loss +2 +2$/m);
    const log = await world.running(async () => void (await until(() => world.steps().length === 20)));
    assert.deepEqual(inOrder(world.steps()), all);
    assert.doesNotMatch(log, /does not add up/);
    assert.equal((await world.sink()).waiting, 0);
  });

  it("drops only with a yes, and only what is asked for", async () => {
    const world = await open();
    await world.running(async () => void (await allDead(world)));
    const refused = await world.queue("drop");
    assert.deepEqual([refused.status, refused.stdout], [2, ""]);
    assert.match(refused.stderr, /add --yes/);
    assert.equal((await world.queue("drop", "--yes", "--before", "1h")).stdout, "No dead letters to drop\n");
    assert.equal((await world.queue("drop", "--yes", "--sink", "pramathus")).stdout, dropped);
    assert.equal((await world.queue("peek", "--dead")).stdout, "No dead letters\n");
  });

  it("shows and exports what a killed mlmon has left waiting", async () => {
    const world = await open();
    await world.receiver.stop();
    await world
      .running(async (pid) => {
        await until(async () => (await world.sink()).waiting === 20);
        assert.match((await world.queue()).stdout, /^pramathus: connection refused/m);
        process.kill(pid, "SIGKILL");
        await until(async () => (await world.sink()).state === "stopped");
      })
      .catch(() => undefined);
    const { waiting, bytes, state } = await world.sink();
    assert.deepEqual([waiting, state], [20, "stopped"]);
    assert.ok(bytes > 20 * 24, `${bytes}`);
    const { stdout } = await world.queue("export", "--sink", "pramathus");
    const lines = stdout.trim().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).step),
      all,
    );
    assert.deepEqual(JSON.parse(lines[0] ?? "").run.id, "a".repeat(32));
    assert.equal((await world.queue("drop", "--waiting", "--yes")).status, 2);
    const none = await world.queue("drop", "--waiting", "--yes", "--sink", "pramathus", "--before", "1h");
    assert.equal(none.stdout, "Nothing waits\n");
    const dropped = await world.queue("drop", "--waiting", "--yes", "--sink", "pramathus");
    assert.equal(dropped.stdout, "Dropped 20 samples: pramathus by_hand 20\n");
    assert.equal((await world.sink()).waiting, 0);
  });

  it("says what is wrong with its words", async () => {
    const world = await open();
    const none = await world.queue();
    assert.equal(none.status, 1);
    assert.match(none.stderr, /Cannot find a queue in the state folder ".mlmon": mlmon has never run with it/);
    await world.running(async () => {});
    for (const [words, expected] of [
      [["peek", "--sink", "other"], /Cannot find the sink "other" in the queue: expected one of pramathus/],
      [["replay", "--sink", "other"], /Cannot find the sink "other" in the queue/],
      [["replay", "--since", "yesterday"], /Cannot use --since "yesterday": expected a date/],
      [["peek", "--limit", "0"], /Cannot use --limit "0"/],
      [["export", "--reason", "http_400"], /add --dead/],
      [["pek"], /Unknown command "queue pek": did you mean "queue peek"/],
    ] as const) {
      const { status, stderr } = await world.queue(...words);
      assert.equal(status, 2, words.join(" "));
      assert.match(stderr, expected);
    }
  });
});
