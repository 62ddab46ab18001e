import { ConfigError } from "../model/errors.ts";
import { maskSecrets } from "../model/secret.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print } from "./command.ts";

export default defineMlmonCommand({
  name: "validate",
  description: "Names every mistake of the configuration",
  args: {
    ...commonArgs,
    ...jsonArg,
    strict: { type: "boolean", description: "An unset secret, or a misspelt key or variable, is a mistake, too" },
  },
  async run({ args, config }) {
    const loading = config(args.strict ? "strict" : "warn");
    if (args.json) await loading.catch(printMistakes);
    const { origin, sources, transforms, sinks, warnings } = await loading;
    const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);
    if (args.json) {
      const parts = { sources: ids(sources), transforms: ids(transforms), sinks: ids(sinks) };
      return print(`${JSON.stringify({ valid: true, config: origin, ...parts, warnings })}\n`);
    }
    const parts = [`sources ${ids(sources).join(", ")}`, `sinks ${ids(sinks).join(", ")}`];
    await print(`The configuration "${origin}" is valid: ${parts.join("; ")}\n`);
  },
});

/** For machines; people read the same on stderr. */
async function printMistakes(error: unknown): Promise<void> {
  if (!(error instanceof ConfigError)) return;
  const { message, issues } = error;
  await print(`${maskSecrets(JSON.stringify({ valid: false, message, issues }))}\n`);
}
