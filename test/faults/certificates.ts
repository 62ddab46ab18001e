import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Certificate } from "./receiver.ts";

/** An authority that mlmon is told to trust, and what it and others have signed for `localhost`. */
export interface Certificates {
  /** PEM file of the authority, for `NODE_EXTRA_CA_CERTS`. */
  readonly authority: string;
  readonly right: Certificate;
  /** Signed by the same authority for another host. */
  readonly otherHost: Certificate;
  /** Signed by nobody but itself. */
  readonly selfSigned: Certificate;
}

const execute = promisify(execFile);

/** Makes them with openssl in `folder/tls`; takes some seconds, in which the receivers of other worlds must answer. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = join(folder, "tls");
  mkdirSync(at);
  await execute("sh", ["-c", script], { cwd: at });
  const read = (name: string) => ({
    key: readFileSync(join(at, `${name}.key`)),
    cert: readFileSync(join(at, `${name}.pem`)),
  });
  return {
    authority: join(at, "authority.pem"),
    right: read("localhost"),
    otherHost: read("elsewhere.test"),
    selfSigned: read("alone"),
  };
}

/** Says why none can be made, or nothing. */
export function lackOfOpenssl(): string | undefined {
  return spawnSync("openssl", ["version"]).status === 0 ? undefined : "no openssl";
}

const script = `set -e
  openssl req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.pem -subj /CN=authority
  openssl req -x509 -newkey rsa:2048 -nodes -keyout alone.key -out alone.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost
  for name in localhost elsewhere.test; do
    openssl req -newkey rsa:2048 -nodes -keyout $name.key -out request.pem -subj /CN=$name
    echo subjectAltName=DNS:$name > extensions
    openssl x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial -out $name.pem -extfile extensions
  done`;
