/** Chance that can be had again: everything random of one scenario comes from one of these. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** Another one, for what is asked at moments that no seed decides: then what this one gives stays the same. */
  fork(): Random;
}

/** Makes the chance of one scenario out of the seed of all and its name, so that `--only` changes nothing. */
export function createRandom(seed: number, name: string): Random {
  let state = seed >>> 0;
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return randomFrom(state);
}

function randomFrom(first: number): Random {
  let state = first;
  // Mulberry32: small, and even enough to choose moments.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    pick: (list) => list[Math.floor(next() * list.length)] ?? list[0],
    fork: () => randomFrom(Math.floor(next() * 2 ** 32)),
  };
}
