import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, deflateRawSync } from "node:zlib";

/** A part of a page that was compressed once and can begin many gzip answers. */
export interface PackedPart {
  readonly deflated: Uint8Array<ArrayBuffer>;
  readonly crc: number;
  readonly length: number;
}

/** Compresses the part of a page that stays the same, ending at a byte so that more can follow. */
export async function packPart(part: Uint8Array): Promise<PackedPart> {
  const deflated = await deflateRawAsync(part, { level: 1, finishFlush: constants.Z_FULL_FLUSH });
  return { deflated, crc: crc32(part), length: part.length };
}

/**
 * Makes one gzip member (RFC 1952) of a packed part and what follows it on the page: 100 000 series are compressed once
 * a change, not once a scrape. It comes in parts, so that answers can share the large one.
 */
export function gzipPage({ deflated, crc, length }: PackedPart, rest: Uint8Array): readonly Uint8Array<ArrayBuffer>[] {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(rest, crc), 0);
  trailer.writeUInt32LE((length + rest.length) % 2 ** 32, 4);
  return [gzipHead, deflated, deflateRawSync(rest), trailer];
}

const deflateRawAsync = promisify(deflateRaw);

/** Magic, deflate, no flags, no time, fastest, unknown system. */
const gzipHead = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
