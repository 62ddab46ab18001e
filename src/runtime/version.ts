import manifest from "../../package.json" with { type: "json" };

/** mlmon's version, as in package.json; the binary carries that of its build. */
export const version: string = manifest.version;
