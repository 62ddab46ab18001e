const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: nothing listens there",
  ConnectionRefused: "connection refused: nothing listens there",
  ENOTFOUND: "host not found",
  FailedToOpenSocket: "the connection could not be opened: host not found or unreachable",
  EAI_AGAIN: "host not found: the name server does not answer",
  ECONNRESET: "connection reset by the receiver",
  ConnectionClosed: "connection closed by the receiver",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "network unreachable",
  DEPTH_ZERO_SELF_SIGNED_CERT: "TLS: the certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "TLS: the certificate is signed by an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "TLS: the certificate is signed by an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "TLS: the certificate is signed by an unknown authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "TLS: the certificate is for another host name",
  CERT_HAS_EXPIRED: "TLS: the certificate has expired",
  EPROTO: "TLS: the receiver speaks no TLS on this port",
};

/** Deno gives no code; its texts are matched, never shown, for they hold the whole URL. */
const texts: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/connection refused/i, "connection refused: nothing listens there"],
  [/no route to host/i, "no route to the host"],
  [/network is unreachable/i, "network unreachable"],
  [/dns error|failed to lookup|name or service not known/i, "host not found"],
  [/reset by peer|connection reset/i, "connection reset by the receiver"],
  [/NotValidForName|not valid for name/i, "TLS: the certificate is for another host name"],
  [/UnknownIssuer/i, "TLS: the certificate is signed by an unknown authority"],
  [/certificate.*expired|Expired/i, "TLS: the certificate has expired"],
  [/InvalidContentType/i, "TLS: the receiver speaks no TLS on this port"],
  [/invalid peer certificate|tls/i, "TLS: the connection could not be secured"],
  [/closed|error reading a body|unexpected eof|incomplete/i, "connection closed by the receiver"],
  [/invalid HTTP version/i, "the answer of the receiver is no HTTP"],
];

/**
 * Says in mlmon's own words why a request got no answer; `other` is who did not give it. The runtimes' texts are never
 * shown: they hold whole URLs and header values. Called for every request that failed, of sinks and to MLflow.
 */
export function describeFailure(error: unknown, other = "the receiver"): string {
  return reasonOf(error).replace("the receiver", other);
}

function reasonOf(error: unknown): string {
  const causes = causesOf(error);
  const codes = causes.map((cause) => ("code" in cause ? String(cause.code) : ""));
  const reason = codes.map((code) => reasons[code]).find(Boolean);
  if (reason) return reason;
  const known = texts.find(([pattern]) => causes.some(({ message }) => pattern.test(message)));
  if (known) return known[1];
  const code = codes.find((each) => /^[A-Z_]{3,}$/.test(each));
  if (code) return `the request failed (${code})`;
  return "the request failed before an answer came";
}

/** An error and what has caused it; the outermost, of the library, says less than what lies in it. */
function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) causes.push(cause);
  return causes;
}
