import { until } from "../beds/wait.ts";
import { type Act, answer } from "./acts.ts";
import { always } from "./receiver.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** Every answer that a receiver may give instead of 200. */
export const receiverAnswers: readonly Scenario[] = [scenario("receiver-503", answer(503))];

/** Both receivers of points and the gateway answer alike, a few times each, then they are well again. */
function scenario(name: string, act: Act, more: Partial<Scenario> = {}): Scenario {
  return { name, ...more, trouble: (world) => everywhere(world, act) };
}

async function everywhere({ receivers }: World, act: Act, times = 3): Promise<void> {
  const all = Object.values(receivers);
  for (const receiver of all) receiver.follow(always(act));
  for (const receiver of all) await until(() => receiver.troubled >= times, 60_000, `${act.name}, ${times} times`);
  for (const receiver of all) receiver.follow();
}
