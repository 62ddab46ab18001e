// Started by memory.test.ts: asks endless servers, as a sink's worker and as the source do, and prints what it was told
// and the most memory it had, in MiB.
import process from "node:process";
import { classify } from "../../src/delivery/classify.ts";
import { createSender } from "../../src/delivery/send.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { context, memoryJournal, options } from "../mlflow/memory.ts";

const [, , how = "", ...urls] = process.argv;
const before = peak();
const told: string[] = [];
for (const url of urls) told.push(await (how === "send" ? send(url) : read(url)));
console.log(JSON.stringify({ told, grown: peak() - before }));
process.exit();

async function send(url: string): Promise<string> {
  const signal = new AbortController().signal;
  const sent = await createSender({ version: "1" })({ method: "POST", url, body: "x" }, { timeoutMs: 20_000, signal });
  if (sent.kind !== "answered") return sent.kind;
  const outcome = await classify(sent.response);
  return outcome.kind === "delivered" ? outcome.kind : `${outcome.kind}: ${outcome.reason}`;
}

async function read(url: string): Promise<string> {
  try {
    const journal = memoryJournal();
    for await (const batch of mlflowSource(options(url), { attempts: 1 }).read(context(journal))) journal.take(batch);
    return "read";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `maxRSS` is in KiB under both runtimes. */
function peak(): number {
  return process.resourceUsage().maxRSS / 1024;
}
