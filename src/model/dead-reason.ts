/** The beginning of every reason that is a bug of the plugin. */
export const pluginFailed = "the sink failed";

/**
 * Puts the words of a dead letter into the closed list of reasons that metrics and the ledger carry: `http_400` and the
 * like, `plugin_error`, `rejected`.
 */
export function deadReason(words: string): string {
  const status = /^(\d{3})\b/.exec(words)?.[1];
  if (status) return `http_${status}`;
  return words.startsWith(pluginFailed) ? "plugin_error" : "rejected";
}
