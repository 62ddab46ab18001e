/** How a TLS connection differs from the runtime's default; texts are PEM. */
export interface TlsSettings {
  /** Certificates to trust. */
  readonly ca?: string;
  /** Client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** `false` accepts any certificate. */
  readonly verify?: boolean;
}

/** The one function of Deno that is used here; its type is not ambient outside Deno. */
interface DenoLike {
  createHttpClient(options: { caCerts?: string[]; cert?: string; key?: string }): unknown;
}

/**
 * Gives what `fetch` needs beside the standard: `tls` in Bun, a `client` in Deno; `{}` when nothing differs.
 * Throws when the runtime cannot do it. Called once per client.
 */
export function tlsInit(settings: TlsSettings): Readonly<Record<string, unknown>> {
  const { ca, cert, key, verify = true } = settings;
  if (ca === undefined && cert === undefined && verify) return {};
  const deno = denoOf(globalThis);
  if (!deno) {
    return {
      tls: { rejectUnauthorized: verify, ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert, key }) },
    };
  }
  if (!verify) {
    throw new Error("Deno can only be told so when it starts: deno run --unsafely-ignore-certificate-errors=HOST");
  }
  return {
    client: deno.createHttpClient({
      ...(ca !== undefined && { caCerts: [ca] }),
      ...(cert !== undefined && key !== undefined && { cert, key }),
    }),
  };
}

function denoOf(scope: object): DenoLike | undefined {
  if (!("Deno" in scope)) return undefined;
  const { Deno: candidate } = scope;
  return isDeno(candidate) ? candidate : undefined;
}

function isDeno(value: unknown): value is DenoLike {
  return typeof value === "object" && value !== null && "createHttpClient" in value;
}
