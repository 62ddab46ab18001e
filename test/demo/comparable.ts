/** One request and its answer. */
export interface Exchange {
  readonly said: string;
  readonly status: number;
  /** Without its parameters. */
  readonly type: string;
  readonly body: unknown;
  /** The ids that this server has given, in their order. */
  readonly ids: readonly string[];
}

/** An answer without what differs by nature: ids become their number, times of creation and texts of errors go. */
export function comparable(exchange: Exchange | undefined): object {
  if (!exchange) return {};
  const { status, type, body, ids } = exchange;
  // Of a web page only its kind is compared.
  if (typeof body === "string" && type === "text/html" && status !== 200) return { status, type };
  return { status, type, body: plain(body, ids) };
}

const ignored = new Set(["creation_time", "last_update_time", "message", "sqlstate", "error_class"]);
/** What the demo leaves out of `server-info`. */
const unread = /_enabled$|_supported$/;

function plain(value: unknown, ids: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => plain(item, ids));
    // MLflow promises no order of the metrics, params and tags of a run; points and runs keep theirs.
    return isKeyed(items) ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value === "object" && value !== null) {
    const kept = Object.entries(value).filter(
      ([key]) => !ignored.has(key) && (key === "workspaces_enabled" || !unread.test(key)),
    );
    return Object.fromEntries(kept.map(([key, inner]) => [key, plain(inner, ids)]));
  }
  if (typeof value !== "string") return value;
  return ids.reduce((text, id, index) => (id.length > 8 ? text.replaceAll(id, `#${index}`) : text), named(value, ids));
}

/** The experiment's id is short, so it is replaced only where it stands alone or as the folder of artifacts. */
function named(text: string, ids: readonly string[]): string {
  const [experiment] = ids;
  if (experiment === undefined) return text;
  if (text === experiment) return "#0";
  const folder = `mlflow-artifacts:/${experiment}`;
  if (text !== folder && !text.startsWith(`${folder}/`)) return text;
  return `mlflow-artifacts:/#0${text.slice(folder.length)}`;
}

/** Whether each item has a key of its own: the points of a history share theirs. */
function isKeyed(items: readonly unknown[]): boolean {
  const keys = items.map((item) => (typeof item === "object" && item !== null ? Reflect.get(item, "key") : undefined));
  return !keys.includes(undefined) && new Set(keys).size === keys.length;
}
