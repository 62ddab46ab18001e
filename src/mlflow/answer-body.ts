import { isTooDense, maxObjects, parseAnswer } from "./json.ts";
import { cutError, foreignError } from "./mlflow-error.ts";
import type { ReadText } from "./read-text.ts";

/** An answer that has been read. */
export interface Answer {
  readonly text: string;
  readonly contentType: string;
}

/** Who was asked for what, for messages. */
interface Asked {
  readonly server: string;
  readonly path: string;
}

/** Throws `MlflowError` for what would take too much memory; called before it is parsed. */
export function refuseTooLarge({ text, cut }: ReadText, maxBytes: number, { server, path }: Asked): void {
  if (cut && isJson(text)) throw foreignError(server, path, `more than ${maxBytes / 1024 ** 2} MiB`);
  if (isTooDense(text)) throw foreignError(server, path, `more than ${maxObjects} objects`);
}

/** Parses the body; throws `MlflowError` that says what stands there instead of JSON. */
export function jsonOf({ text, contentType }: Answer, { server, path }: Asked): unknown {
  try {
    return parseAnswer(text);
  } catch {
    if (/html/i.test(contentType) || text.trimStart().startsWith("<")) throw foreignError(server, path, "a web page");
    if (!isJson(text)) throw foreignError(server, path, "no JSON");
    throw cutError(server);
  }
}

function isJson(text: string): boolean {
  return text.trimStart().startsWith("{");
}
