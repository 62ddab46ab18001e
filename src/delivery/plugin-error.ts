import { maskSecrets } from "../model/secret.ts";

/** The beginning of every reason that is a bug of the plugin. */
export const pluginFailed = "the sink failed";

/** The words of whatever a plugin has thrown, secrets masked. */
export function messageOf(error: unknown): string {
  return maskSecrets(error instanceof Error ? error.message : String(error));
}
