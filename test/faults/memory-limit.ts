import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** A control group of the kernel that bounds the memory of what runs in it; beyond it the kernel kills. */
export interface MemoryLimit {
  /** What is put before the command of mlmon. */
  readonly prefix: readonly string[];
  set(bytes: number): void;
  /** Removes it; nothing may run in it any more. */
  remove(): void;
}

/** Makes one below the group of this process, so that the limits of that one hold too; throws where that is refused. */
export function memoryLimit(name: string): MemoryLimit {
  const { folder, file } = place();
  const group = join(folder, `mlmon-${process.pid}-${name}`);
  mkdirSync(group);
  return {
    prefix: ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group],
    set: (bytes) => writeFileSync(join(group, file), String(bytes)),
    remove: () => rmdirSync(group),
  };
}

/** Says why no limit can be had on this machine, or nothing. */
export function lackOfMemoryLimit(): string | undefined {
  try {
    const limit = memoryLimit("probe");
    try {
      limit.set(1e9);
    } finally {
      limit.remove();
    }
    return undefined;
  } catch (error) {
    return `no control group for memory: ${error instanceof Error ? error.message : error}`;
  }
}

/** Version 1 has a tree for memory, version 2 one for all. */
function place(): { readonly folder: string; readonly file: string } {
  const lines = readFileSync("/proc/self/cgroup", "utf8").split("\n");
  const first = lines.find((line) => line.split(":")[1]?.split(",").includes("memory"));
  const path = (line = "") => line.split(":").slice(2).join(":");
  if (first !== undefined && existsSync("/sys/fs/cgroup/memory")) {
    return { folder: join("/sys/fs/cgroup/memory", path(first)), file: "memory.limit_in_bytes" };
  }
  return { folder: join("/sys/fs/cgroup", path(lines.find((line) => line.startsWith("0::")))), file: "memory.max" };
}
