import { until } from "../beds/wait.ts";
import { type Act, answer } from "./acts.ts";
import { always, type Script } from "./receiver.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** Every answer that a receiver may give instead of 200. */
export const receiverAnswers: readonly Scenario[] = [
  answers(201),
  answers(204),
  buries(301, /^301: redirects are not followed/),
  {
    name: "receiver-400-for-one",
    deadLetters: { say: /^400: the receiver says "refused with 400"/, of: ["pramathus", "tally"] },
    trouble: poison,
  },
  buries(400, /^400: the receiver says "refused with 400"/),
  { name: "receiver-401-then-200", trouble: (world) => everywhere(world, always(answer(401)), 1) },
  { name: "receiver-403", trouble: (world) => everywhere(world, always(answer(403)), 1) },
  { name: "receiver-404", trouble: (world) => everywhere(world, always(answer(404)), 1) },
  answers(408),
  { name: "receiver-413-above-a-size", trouble: tooLarge },
  buries(422, /^422: the receiver says "refused with 422"/),
  answers(429, "-retry-after-seconds", () => ({ "retry-after": "1" })),
  answers(429, "-retry-after-date", () => ({ "retry-after": new Date(Date.now() + 2000).toUTCString() })),
  answers(500),
  buries(501, /^501: the receiver says "refused with 501"/),
  answers(502),
  answers(503),
];

/** Does the same to all receivers until each has done it so often, then they are well again. */
export async function everywhere({ receivers }: World, script: Script, times = 4): Promise<void> {
  const all = Object.entries(receivers);
  for (const [, receiver] of all) receiver.follow(script);
  for (const [name, receiver] of all) {
    await until(() => receiver.troubled >= times, 60_000, `${times} requests to ${name}`);
  }
  for (const [, receiver] of all) receiver.follow();
}

/** An answer that costs time only. */
function answers(status: number, more = "", headers: () => Readonly<Record<string, string>> = () => ({})): Scenario {
  const script: Script = ({ moment }) =>
    moment === "end" ? answer(status, `refused with ${status}`, headers()) : undefined;
  return { name: `receiver-${status}${more}`, trouble: (world) => everywhere(world, script) };
}

/** An answer that refuses for good what is asked meanwhile: slices as they are, or halved down to single samples. */
function buries(status: number, say: RegExp): Scenario {
  async function trouble(world: World): Promise<void> {
    await everywhere(world, always(answer(status)));
    for (const receiver of status === 400 || status === 422 ? [world.receivers.pramathus, world.receivers.tally] : []) {
      receiver.follow(always(answer(status)));
      await until(() => receiver.troubled >= 100, 60_000, "a slice to be halved down to its samples");
      receiver.follow();
    }
  }
  const name = status === 400 ? "receiver-400-for-all" : `receiver-${status}`;
  return { name, deadLetters: { say, of: ["pramathus", "tally", "pushgateway"] }, trouble };
}

/** The receivers never take one point of each series of losses, and everything beside it. */
async function poison({ receivers: { pramathus, tally }, arrivals, trainings }: World): Promise<void> {
  const step = Math.ceil(trainings.written() / 6) + 40;
  const poisoned = new RegExp(`"key":"loss".*"step":${step}\\b|"name":"loss"[^}]*"step":${step}\\b`);
  const script: Script = ({ moment, body }) => (moment === "end" && poisoned.test(body) ? refusal : undefined);
  for (const receiver of [pramathus, tally]) receiver.follow(script);
  for (const receiver of [pramathus, tally]) await until(() => receiver.troubled >= 8, 60_000, "the refused point");
  const had = arrivals.pramathus.distinct();
  await until(() => arrivals.pramathus.distinct() > had + 50, 60_000, "others to arrive beside it");
}

/** The receivers never take more than so many bytes at once; the gateway gets whole groups only, so it is left out. */
async function tooLarge({ receivers: { pramathus, tally }, arrivals }: World): Promise<void> {
  for (const [receiver, bytes] of [
    [pramathus, 3000],
    [tally, 1000],
  ] as const) {
    receiver.follow(({ moment, body }) => (moment === "end" && body.length > bytes ? answer(413) : undefined));
    await until(() => receiver.troubled >= 5, 60_000, "a request that is too large");
  }
  const had = arrivals.pramathus.distinct();
  await until(() => arrivals.pramathus.distinct() > had + 100, 60_000, "halves to arrive");
}

const refusal: Act = answer(400);
