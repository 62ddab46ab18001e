import { readFileSync } from "node:fs";
import { ConfigError } from "../model/errors.ts";
import type { TlsSettings } from "../runtime/tls.ts";
import type { Connection } from "./client.ts";

/** Reads the PEM files of the options. Throws `ConfigError` that names the option and the file. */
export function readTls({ caFile, clientCert, verify }: Connection): TlsSettings {
  const pem = clientCert === undefined ? undefined : readPem("clientCert", clientCert);
  return {
    verify,
    ...(caFile !== undefined && { ca: readPem("caFile", caFile) }),
    ...(pem !== undefined && { cert: pem, key: keyIn(pem) }),
  };
}

function readPem(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError(`Cannot read the PEM file "${path}" of ${option}: create it, readable by mlmon`, [], {
      cause,
    });
  }
}

/** MLflow's client keeps certificate and key in one file. */
function keyIn(pem: string): string {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/.exec(pem)?.[0] ?? pem;
}
