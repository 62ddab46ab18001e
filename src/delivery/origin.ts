import { maskSecrets } from "../model/secret.ts";

/** Names where a request goes, for logs and the status: the path of a webhook, user part and query may hold secrets. */
export function originOf(url: string): string {
  return maskSecrets(new URL(url).origin);
}
