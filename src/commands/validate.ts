import { commonArgs, defineMlmonCommand, print } from "./command.ts";

export default defineMlmonCommand({
  name: "validate",
  description: "Names every mistake of the configuration",
  args: { ...commonArgs, strict: { type: "boolean", description: "An unset secret is a mistake, too" } },
  async run({ args, config }) {
    const { origin, sources, transforms, sinks } = await config(args.strict ? "required" : "warn");
    const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);
    if (args.json) {
      const result = { config: origin, sources: ids(sources), transforms: ids(transforms), sinks: ids(sinks) };
      return print(`${JSON.stringify(result)}\n`);
    }
    const parts = [`sources ${ids(sources).join(", ")}`, `sinks ${ids(sinks).join(", ")}`];
    await print(`The configuration "${origin}" is valid: ${parts.join("; ")}\n`);
  },
});
