import { Buffer } from "node:buffer";

/**
 * Grows a page of UTF-8 line by line. Writing bytes at once takes 35 ms for 100 000 series under Bun; building strings
 * first takes 60, and twice the memory once a letter is outside Latin-1.
 */
export class PageBuffer {
  #buffer: Buffer<ArrayBuffer>;
  #end = 0;

  /** A good guess of the size spares the garbage of growing: tens of MB on a large page. */
  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(1024, expectedBytes));
  }

  text(text: string): void {
    this.#reserve(text.length * maxUtf8);
    this.#end += this.#buffer.write(text, this.#end);
  }

  /** Writes `id value`; the value is ASCII. */
  line(id: string, value: string): void {
    this.#reserve(id.length * maxUtf8 + value.length + 2);
    const buffer = this.#buffer;
    let end = this.#end + buffer.write(id, this.#end);
    buffer[end++] = space;
    // For some 20 characters a loop is faster than a call into the runtime.
    for (let index = 0; index < value.length; index++) buffer[end++] = value.charCodeAt(index);
    buffer[end++] = lineFeed;
    this.#end = end;
  }

  /** Returns the page; much room that was left over is given back. Ends this buffer's use. */
  bytes(): Uint8Array<ArrayBuffer> {
    const page = new Uint8Array(this.#buffer.buffer, 0, this.#end);
    return this.#end * 1.25 < this.#buffer.length ? page.slice() : page;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#buffer.length * 1.5)));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}

/** Bytes of UTF-8 at most for one UTF-16 code unit. */
const maxUtf8 = 3;
const space = 32;
const lineFeed = 10;
