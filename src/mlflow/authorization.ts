import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { loginOf } from "../model/login.ts";
import { messageOf } from "../model/message-of.ts";
import { Secret, secret } from "../model/secret.ts";
import type { Connection } from "./client.ts";
import { MlflowError } from "./mlflow-error.ts";

/**
 * Makes the `Authorization` header as MLflow's client does: a user part of the address, else Basic, else Bearer. User
 * name and password that are not set come from `~/.mlflow/credentials`, each for itself. Called once a session.
 */
export function authorizationOf(options: Connection, address: URL): Secret | undefined {
  const login = loginOf(address, "trackingUri");
  if (login) return login;
  const { token } = options;
  // To MLflow's client the file wins over its variable of a token; a token in the configuration means itself.
  const isChosen = token !== undefined && token.name !== "MLFLOW_TRACKING_TOKEN";
  const file = isChosen ? {} : readCredentials();
  const username = options.username ?? file.username;
  const password = options.password ?? file.password;
  if (username && password) return secret.basic(username, password);
  return token && secret.bearer(token);
}

/** `Basic` or `Bearer`; nothing without a login. Reveals nothing. */
export function schemeOf(authorization: Secret | undefined): string | undefined {
  return authorization && String(authorization).split(" ")[0];
}

/**
 * The text of the header; nothing without a login. Throws an `MlflowError` when its secret cannot be read: `dry-run`
 * begins without it, and a file can go. Called for each request.
 */
export function revealLogin(authorization: Secret | undefined, server: string): string | undefined {
  try {
    return authorization && Secret.reveal(authorization);
  } catch (error) {
    throw new MlflowError("auth", `Cannot log in to MLflow at ${server}`, messageOf(error));
  }
}

interface Credentials {
  readonly username?: string;
  readonly password?: Secret;
}

/** Reads the file of MLflow's client, in the format of Python's `configparser`; one that cannot be read is none. */
function readCredentials(): Credentials {
  let text: string;
  try {
    text = readFileSync(join(env.HOME || homedir(), ".mlflow/credentials"), "utf8");
  } catch {
    return {};
  }
  const values = iniValues(text, "mlflow");
  const username = values.get("mlflow_tracking_username");
  const password = values.get("mlflow_tracking_password");
  return {
    ...(username && { username }),
    ...(password && { password: secret.literal("~/.mlflow/credentials", password) }),
  };
}

/** The values of a section and of `[DEFAULT]`, keys in lower case; nothing when the section is missing. */
function iniValues(text: string, wanted: string): ReadonlyMap<string, string> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    if (line === "" || /^[#;]/.test(line)) continue;
    const name = /^\[(.+)\]/.exec(line)?.[1];
    if (name !== undefined) {
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      continue;
    }
    const [, key, value] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) section.set(key.toLowerCase(), value.replaceAll("%%", "%"));
  }
  const own = sections.get(wanted);
  return new Map(own ? [...(sections.get("DEFAULT") ?? []), ...own] : []);
}
