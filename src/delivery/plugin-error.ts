import { maskSecrets } from "../model/secret.ts";

/** The words of whatever a plugin has thrown, secrets masked. */
export function messageOf(error: unknown): string {
  return maskSecrets(error instanceof Error ? error.message : String(error));
}
