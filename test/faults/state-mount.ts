import { execFileSync } from "node:child_process";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

/** The state folder as a small file system of its own. */
export interface StateMount {
  /** Takes all its room but so many bytes. */
  fill(leave: number): Promise<void>;
  /** Gives the room back. */
  free(): Promise<void>;
  /** Makes it read-only, or writable again; nobody may have a file open for writing. */
  setReadOnly(readOnly: boolean): void;
  remove(): void;
}

/** Mounts one; it is gone with this process at the latest. */
export function mountState(folder: string, bytes: number): StateMount {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "mlmon-faults", folder]);
  const remove = () => void execFileSync("umount", ["-l", folder]);
  process.once("exit", remove);
  const ballast = join(folder, "ballast");
  return {
    async fill(leave) {
      const { bavail, bsize } = await statfs(folder);
      // mlmon may take some of it meanwhile: then there is no room for all of the ballast, which is as good.
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leave), 1)).catch((error: unknown) => {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      });
    },
    free: () => rm(ballast),
    setReadOnly(readOnly) {
      execFileSync("mount", ["-o", `remount,${readOnly ? "ro" : "rw"}`, folder]);
    },
    remove() {
      process.off("exit", remove);
      remove();
    },
  };
}
