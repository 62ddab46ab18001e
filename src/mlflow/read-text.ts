/** A body as text, as far as it was read. */
export interface ReadText {
  readonly text: string;
  /** Whether it was longer than what may be read. */
  readonly cut: boolean;
  /** Bytes that were read. */
  readonly bytes: number;
}

/** What of an answer is read when it is not JSON of MLflow: enough for the words of a refusal, or for a version. */
const maxWordsBytes = 64 * 1024;

/**
 * Reads a body as UTF-8 text: `maxBytes` when it begins as an object of JSON does, else 64 KiB. The rest is never read:
 * what answers in MLflow's stead may send gigabytes, or never end.
 */
export async function readText(
  body: ReadableStream<Uint8Array> | undefined,
  maxBytes: number = maxWordsBytes,
): Promise<ReadText> {
  if (!body) return { text: "", cut: false, bytes: 0 };
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const parts: string[] = [];
  let limit = maxWordsBytes;
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: parts.join("") + decoder.decode(), cut: false, bytes };
    bytes += value.length;
    parts.push(decoder.decode(value, { stream: true }));
    if (bytes > limit && limit < maxBytes && parts.join("").trimStart().startsWith("{")) limit = maxBytes;
    if (bytes <= limit) continue;
    await reader.cancel().catch(() => undefined);
    return { text: parts.join(""), cut: true, bytes };
  }
}
