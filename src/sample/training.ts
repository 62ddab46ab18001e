/** A training to simulate: what its run is called and what becomes of it. */
export interface Training {
  readonly experiment: string;
  readonly name: string;
  readonly stage: "None" | "Staging" | "Production";
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly end: "FINISHED" | "FAILED" | "KILLED";
  /** Share of its steps after which it ends: below 1 for one that fails. */
  readonly until: number;
  /** The metrics of one step, 0 being the first of `steps`. */
  metrics(step: number, steps: number): Readonly<Record<string, number>>;
}

/** The tag of every run and experiment that is logged as a sample, by which it is deleted again. */
export const sampleTag: Readonly<Record<string, string>> = { "mlmon.sample": "true" };

/** Makes varied trainings, the same for the same seed: three experiments, several stages, one in six that fails. */
export function planTrainings(count: number, seed: number): readonly Training[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => planTraining(index, random));
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const experiments = ["churn-prediction", "image-classification", "demand-forecast"] as const;
const models = ["xgboost", "resnet50", "lstm", "transformer"] as const;
const stages = ["None", "None", "Staging", "Production"] as const;

function planTraining(index: number, random: () => number): Training {
  const pick = <T>(list: readonly T[], fallback: T): T => list[Math.floor(random() * list.length)] ?? fallback;
  const model = pick(models, "xgboost");
  const rate = 10 ** (-4 + 2 * random());
  const best = 0.82 + 0.16 * random();
  const speed = 3 + 4 * random();
  const fails = index % 6 === 5;
  return {
    experiment: experiments[index % experiments.length] ?? experiments[0],
    name: `${model}-${String(index + 1).padStart(2, "0")}`,
    stage: pick(stages, "None"),
    params: { model, learning_rate: rate.toPrecision(3), batch_size: String(2 ** (4 + Math.floor(random() * 4))) },
    tags: { team: index % 2 === 0 ? "vision" : "growth" },
    end: fails ? "FAILED" : "FINISHED",
    until: fails ? 0.6 : 1,
    metrics(step, steps) {
      const progress = 1 - Math.exp((-speed * (step + 1)) / steps);
      const noise = () => (random() - 0.5) * 0.02;
      const accuracy = clamp(best * (0.5 + 0.5 * progress) + noise());
      return {
        accuracy,
        loss: 2.3 * (1 - progress) + 0.05 + Math.abs(noise()),
        f1_score: clamp(accuracy - 0.02 + noise()),
        learning_rate: rate * 0.98 ** step,
        "val/accuracy": clamp(accuracy - 0.03 + noise()),
        "val/loss": 2.4 * (1 - progress) + 0.08 + Math.abs(noise()),
      };
    },
  };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
