import process from "node:process";
import { templates } from "../init/templates.ts";
import { typesFolder, writeTypes } from "../init/types.ts";
import { writeFiles } from "../init/write-files.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print } from "./command.ts";

const { config: _, ...args } = { ...commonArgs, ...jsonArg };

export default defineMlmonCommand({
  name: "init",
  description: "Writes a commented configuration, an example plugin, and types for an editor",
  args: {
    ...args,
    force: { type: "boolean", description: "Overwrite files that are there" },
    types: { type: "boolean", description: "Write only the types, after an update or in a fresh clone" },
  },
  async run({ args }) {
    const folder = process.cwd();
    const files = args.types ? {} : templates;
    await writeFiles(folder, files, { force: args.force === true });
    await writeTypes(folder);
    const written = [...Object.keys(files), `${typesFolder}/`];
    if (args.json) return print(`${JSON.stringify({ written })}\n`);
    await print(`${written.map((path) => `Wrote ${path}\n`).join("")}Next: mlmon doctor, then mlmon dry-run\n`);
  },
});
