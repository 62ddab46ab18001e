import { receiverAnswers } from "./receiver-answers.ts";
import { receiverTrouble } from "./receiver-trouble.ts";
import type { Scenario } from "./scenario.ts";

/** Every scenario, in the order of the table. */
export function allScenarios(_kills: number): readonly Scenario[] {
  return [calm, ...receiverAnswers, ...receiverTrouble];
}

/** Nothing is broken: what the harness itself makes of mlmon. */
const calm: Scenario = { name: "calm", async trouble() {} };
