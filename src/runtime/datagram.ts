/// <reference types="bun" />
import { Buffer } from "node:buffer";
import { runtime } from "./runtime.ts";

/** Sends datagrams to one unix socket, which neither runtime's own sockets can. */
export interface Datagrams {
  /** Never waits; false when it could not be sent. */
  send(text: string): boolean;
  /** The clock that systemd compares with, CLOCK_MONOTONIC in µs; the runtimes' own begins at the process. */
  monotonicMicros(): bigint;
  close(): void;
}

/** The functions of the C library that are used here, called through the runtime. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, text: Buffer, length: bigint, flags: number, address: Buffer, size: number): number | bigint;
  clock_gettime(clock: number, time: Buffer): number;
  close(fd: number): number;
}

/**
 * Opens a unix datagram socket towards `path`, where `@` at the beginning means an abstract one. Linux alone; throws
 * when the C library cannot be called. Called once a process.
 */
export async function openDatagrams(path: string): Promise<Datagrams> {
  const libc = await openLibc();
  const fd = libc.socket(afUnix, sockDgram | sockCloexec, 0);
  if (fd < 0) throw new Error("The system gives no unix datagram socket");
  const address = unixAddress(path);
  return {
    send(text) {
      const bytes = Buffer.from(text);
      const flags = msgDontwait | msgNosignal;
      return Number(libc.sendto(fd, bytes, BigInt(bytes.length), flags, address, address.length)) === bytes.length;
    },
    monotonicMicros() {
      const time = Buffer.alloc(16);
      libc.clock_gettime(clockMonotonic, time);
      return time.readBigInt64LE(0) * 1_000_000n + time.readBigInt64LE(8) / 1000n;
    },
    close: () => void libc.close(fd),
  };
}

const afUnix = 1;
const sockDgram = 2;
const sockCloexec = 0o2000000;
const msgDontwait = 0x40;
const msgNosignal = 0x4000;
const clockMonotonic = 1;

/** `struct sockaddr_un`: the family, then the path; an abstract one begins with a zero and has no zero at its end. */
function unixAddress(path: string): Buffer {
  const isAbstract = path.startsWith("@");
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > 108) throw new Error(`The path of the socket "${path}" is too long`);
  return Buffer.concat([Buffer.from([afUnix, 0]), name]);
}

/** glibc, then musl. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

async function openLibc(): Promise<Libc> {
  let failure: unknown;
  for (const library of libraries) {
    try {
      return runtime === "deno" ? openWithDeno(library) : await openWithBun(library);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function openWithBun(library: string): Promise<Libc> {
  const { dlopen } = await import("bun:ffi");
  const { symbols } = dlopen(library, {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  });
  return symbols;
}

/** The part of Deno that is used here; its types are not ambient outside Deno. */
interface DenoFfi {
  dlopen(library: string, symbols: object): { readonly symbols: Libc };
}

function openWithDeno(library: string): Libc {
  const { Deno } = globalThis as unknown as { readonly Deno: DenoFfi };
  return Deno.dlopen(library, {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  }).symbols;
}
