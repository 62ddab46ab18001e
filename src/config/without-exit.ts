import process from "node:process";

/** Runs a user's file: where it would end the program, without a word and perhaps with status 0, it throws instead. */
export async function withoutExit<T>(work: () => Promise<T>): Promise<T> {
  const { exit } = process;
  process.exit = (code) => {
    throw new Error(`it calls process.exit(${code ?? ""}), which would end mlmon`);
  };
  try {
    return await work();
  } finally {
    process.exit = exit;
  }
}
