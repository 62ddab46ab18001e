import { clocks } from "./clock.ts";
import { damages } from "./damage.ts";
import { killings } from "./kills.ts";
import { mixed } from "./mixed.ts";
import { mlflowLife } from "./mlflow-life.ts";
import { mlflowTrouble } from "./mlflow-trouble.ts";
import { receiverAnswers } from "./receiver-answers.ts";
import { receiverTrouble } from "./receiver-trouble.ts";
import type { Scenario } from "./scenario.ts";
import { stateFolder } from "./state-folder.ts";

/** Every scenario, in the order of the table. */
export function allScenarios(kills: number): readonly Scenario[] {
  return [
    calm,
    ...receiverAnswers,
    ...receiverTrouble,
    ...mlflowTrouble,
    ...mlflowLife,
    ...killings(kills),
    ...stateFolder,
    ...damages,
    ...clocks,
    ...mixed,
  ];
}

/** Nothing is broken: what the harness itself makes of mlmon. */
const calm: Scenario = { name: "calm", async trouble() {} };
