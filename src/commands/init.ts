import { WorkError } from "../model/errors.ts";
import { commonArgs, defineMlmonCommand } from "./command.ts";

export default defineMlmonCommand({
  name: "init",
  description: "Writes a commented configuration, an example plugin, and types for an editor",
  args: commonArgs,
  async run() {
    throw new WorkError("Cannot write the files");
  },
});
