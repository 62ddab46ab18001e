import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The host name that only the hosts file of `ownHosts` knows. */
export const hostName = "receiver.faults.test";

/** A hosts file that mlmon alone sees, in a mount namespace of its own. */
export interface OwnHosts {
  /** What is put before the command of mlmon. */
  readonly prefix: readonly string[];
  /** Makes `hostName` known, or unknown. */
  know(known: boolean): void;
}

/** Makes one that does not know the name yet. */
export function ownHosts(folder: string): OwnHosts {
  const file = join(folder, "hosts");
  const know = (known: boolean) => writeFileSync(file, `127.0.0.1 localhost${known ? ` ${hostName}` : ""}\n`);
  know(false);
  return { prefix: ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', file], know };
}

/** Says why this machine has no mount namespaces for us, or nothing. */
export function lackOfMounts(): string | undefined {
  const script =
    'folder=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$folder" && umount "$folder" && rmdir "$folder"';
  const { status, error, stderr } = spawnSync("unshare", ["--mount", "sh", "-c", script], { encoding: "utf8" });
  if (status === 0) return undefined;
  return `a file system cannot be mounted here: ${error?.message ?? (stderr.trim() || "the system refuses it")}`;
}
