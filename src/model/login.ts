import { Buffer } from "node:buffer";
import { Secret, secret } from "./secret.ts";

/**
 * Makes the `Authorization` of the user and password in an address, RFC 7617; nothing when it has none. The password is
 * a secret, and a user without one, too: `https://TOKEN@host`. `name` is what is shown instead, by default which part
 * it is. Called for each request that is shown or sent, and once a session with MLflow.
 */
export function loginOf({ username, password }: URL, name?: string): Secret | undefined {
  if (username === "" && password === "") return undefined;
  const user = decoded(username);
  if (password !== "") return secret.basic(user, secret.literal(name ?? "password in the address", decoded(password)));
  const token = secret.literal(name ?? "user in the address", user);
  const encode = () => `Basic ${Buffer.from(`${Secret.reveal(token)}:`).toString("base64")}`;
  return new Secret(token.name, encode, `Basic ${token}`);
}

/** The address as it is sent and shown: without user and password. */
export function withoutLogin(address: URL): string {
  const url = new URL(address);
  url.username = "";
  url.password = "";
  return url.href;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
