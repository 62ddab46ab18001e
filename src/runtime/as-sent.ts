import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { runtime } from "./runtime.ts";

/**
 * What `fetch` needs beside the standard to give an answer as it was sent: Bun decodes all that has arrived at once,
 * whether or not somebody reads it, and a megabyte of gzip can hold a gigabyte. Deno decodes what is read.
 */
export const asSent: Readonly<Record<string, unknown>> = runtime === "bun" ? { decompress: false } : {};

/**
 * Decodes the body of an answer that was fetched `asSent`, as much of it as is read; one in an encoding that was not
 * asked for comes as it is, and one that is not what it says ends where that shows: the status has said what counts.
 * Cancelling it ends the connection. Called once for every answer.
 */
export function decodedBody(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const decoder = runtime === "bun" ? decoders[headers.get("content-encoding")?.trim().toLowerCase() ?? ""] : undefined;
  if (!decoder) return body;
  let isLost = false;
  const source = fromWeb(body, () => (isLost = true));
  // What goes wrong is told to whoever reads.
  const decoded = pipeline(source, decoder(), () => {});
  return toWeb(decoded, () => isLost);
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Not `Readable.fromWeb`, whose type is that of another `ReadableStream`. */
function fromWeb(body: ReadableStream<Uint8Array>, onLost: () => void): Readable {
  const reader = body.getReader();
  return new Readable({
    read() {
      reader.read().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: unknown) => {
          onLost();
          this.destroy(error instanceof Error ? error : new Error(String(error)));
        },
      );
    },
    destroy(error, callback) {
      reader.cancel().then(
        () => callback(error),
        () => callback(error),
      );
    },
  });
}

function toWeb(stream: Readable, isLost: () => boolean): ReadableStream<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next().catch((error: unknown) => {
          if (isLost()) throw error;
          return { done: true, value: undefined };
        });
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        stream.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
