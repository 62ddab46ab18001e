import { holdsSecret, Secret } from "../model/secret.ts";

/**
 * Says why no HTTP request can be made of what a plugin has rendered, in words that hold nothing of it but names; nothing
 * when one can. Asked of each request before it is shown or sent.
 */
export function malformed(request: unknown): string | undefined {
  if (typeof request !== "object" || request === null) return "it is no { method, url, headers, body }";
  const { method, url, headers = {}, body }: Shape = request;
  if (typeof url !== "string" || !URL.canParse(url) || !/^https?:/i.test(url)) return "its address is no http:// URL";
  if (holdsSecret(url)) return "its address holds a secret as text, which is its name: give it in a header";
  // RFC 9110, 5.6.2
  if (typeof method !== "string" || !/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) return "its method is no HTTP method";
  if (typeof headers !== "object" || headers === null) return "its headers are no { name: value }";
  for (const [name, value] of Object.entries(headers)) {
    // What a secret holds is known to the sender alone.
    if (!isHeader(name, value instanceof Secret ? "" : value)) return `no header can be made of "${name}"`;
    if (typeof value === "string" && holdsSecret(value)) {
      return `its header "${name}" holds a secret as text, which is its name: give the secret itself, or secret.bearer(…)`;
    }
  }
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array))
    return "its body is neither text nor bytes";
  if (body !== undefined && /^(GET|HEAD)$/i.test(method)) return `${method} carries no body`;
  return undefined;
}

/** Says whether HTTP knows such a name and value; the runtimes' own errors print the value. */
export function isHeader(name: string, value: string): boolean {
  try {
    new Headers().set(name, value);
    return true;
  } catch {
    return false;
  }
}

interface Shape {
  readonly method?: unknown;
  readonly url?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}
