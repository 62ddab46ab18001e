/** Those who read a large page, each at their own pace. */
export interface Readers {
  /**
   * Makes the body of an answer of parts that answers share. A piece is handed over when the reader has taken the one
   * before, so that one who reads nothing holds a reference to the parts and no copy.
   */
  body(parts: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How many have not read all of theirs yet. */
  count(): number;
}

/** The bounds of a group of readers. */
export interface ReadersOptions {
  /** Readers at a time, 16 by default; one more drops the one who has been reading for the longest. */
  readonly max?: number;
  /** Who takes longer is dropped; 60 s by default. */
  readonly timeoutMs?: number;
}

/** Makes a group of readers; one per page. Who is dropped sees the connection break, never a page that looks whole. */
export function createReaders({ max = 16, timeoutMs = 60_000 }: ReadersOptions = {}): Readers {
  const drops = new Set<() => void>();

  function body(parts: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
    let rest = parts.flatMap(piecesOf)[Symbol.iterator]();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let drop = () => {};
    const end = () => {
      clearTimeout(timer);
      drops.delete(drop);
      rest = [][Symbol.iterator]();
    };
    return new ReadableStream(
      {
        pull(controller) {
          // Not before somebody reads: the answer to a HEAD has a body that nobody does.
          if (timer === undefined) {
            drop = () => {
              end();
              // Without an error, which Bun would print: what happens here is meant.
              controller.error();
            };
            timer = setTimeout(drop, timeoutMs);
            drops.add(drop);
            const [oldest] = drops;
            if (drops.size > max) oldest?.();
          }
          const { done, value } = rest.next();
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        },
        cancel: end,
      },
      { highWaterMark: 0 },
    );
  }

  return { body, count: () => drops.size };
}

const pieceBytes = 256 * 1024;

function piecesOf(part: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const count = Math.ceil(part.length / pieceBytes);
  return Array.from({ length: count }, (_, index) => part.subarray(index * pieceBytes, (index + 1) * pieceBytes));
}
