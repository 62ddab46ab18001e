import { Buffer } from "node:buffer";
import { type Secret, secret } from "../model/secret.ts";

/**
 * Makes the `Authorization` of the user and password in an address, RFC 7617; nothing when it has none. The password is
 * masked everywhere from here on. Called for each request that is shown or sent.
 */
export function loginOf({ username, password }: URL): string | Secret | undefined {
  if (username === "" && password === "") return undefined;
  const user = decoded(username);
  return password === ""
    ? `Basic ${Buffer.from(`${user}:`).toString("base64")}`
    : secret.basic(user, secret.literal("password in the address", decoded(password)));
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
