import { maskSecrets } from "./secret.ts";

/** The words of whatever was thrown, secrets masked: plugins and receivers choose them. */
export function messageOf(error: unknown): string {
  return maskSecrets(error instanceof Error ? error.message : String(error));
}
