import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Scenario } from "./scenario.ts";
import { flows, type World } from "./world.ts";

/** The clock of mlmon's machine jumps, while that of the trainings goes on; libfaketime answers in place of the system. */
export const clocks: readonly Scenario[] = [
  jumps("clock-jumps-forward", [3600]),
  jumps("clock-jumps-back", [-3600]),
  jumps("clock-jumps-to-and-fro", [3600, 0, -3600, 86_400, -86_400, 0]),
];

function jumps(name: string, seconds: readonly number[]): Scenario {
  return { name, lacking, startsItself: true, trouble: (world) => jumping(world, seconds) };
}

/** Starts with the right time; each jump must leave it at work by itself, and then it stays. */
async function jumping(world: World, seconds: readonly number[]): Promise<void> {
  const { mlmon, trainings, folder, random } = world;
  const file = join(folder, "offset");
  const setOffset = (offset: number) => writeFileSync(file, `${offset < 0 ? "" : "+"}${offset}\n`);
  setOffset(0);
  mlmon.start({
    env: {
      LD_PRELOAD: (await library()) ?? "",
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      // A jump of the wall clock leaves timers as they are.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
  });
  trainings.go();
  for (const offset of seconds) {
    await flows(world);
    await sleep(random.between(0, 1000));
    setOffset(offset);
  }
}

async function lacking(): Promise<string | undefined> {
  try {
    return (await library()) === undefined ? "libfaketime has no library for this machine" : undefined;
  } catch (error) {
    return `no libfaketime: ${error instanceof Error ? error.message.split("\n").at(-1) : error}`;
  }
}

/** Fetched from Debian into the cache of the beds at the first call ever. */
async function library(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(join(import.meta.dirname, "../beds/debian.sh"), ["libfaketime"]);
  const folder = stdout.trim();
  const places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
  return places
    .map((place) => join(folder, "usr/lib", place, "faketime/libfaketimeMT.so.1"))
    .find((path) => existsSync(path));
}
