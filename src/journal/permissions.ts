import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * Says which users beside its owner may change a state folder or read what lies in it; nothing when none may, and where
 * there are no such rights. mlmon makes everything for its owner alone (0700, 0600) and changes no rights by itself.
 */
export function permissionWarning(path: string): string | undefined {
  if (process.getuid === undefined) return undefined;
  const folder = modeOf(path);
  if (folder & 0o022) {
    return `Other users may change the state folder "${path}" (mode ${octal(folder)}): chmod 700 "${path}"`;
  }
  // Nobody else reaches a file in a folder that is shut.
  if ((folder & 0o011) === 0) return undefined;
  const open = entries(path).find((name) => modeOf(join(path, name)) & 0o066);
  if (open === undefined) return undefined;
  const file = join(path, open);
  return `Other users may read what mlmon keeps in "${file}" (mode ${octal(modeOf(file))}): chmod 700 "${path}"`;
}

function entries(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function modeOf(path: string): number {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return 0;
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
