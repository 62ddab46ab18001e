import { openStateFolder } from "../../src/journal/state-folder.ts";

// Keeps the folder named by the first argument until it is killed, or for a minute when nobody does.
const folder = openStateFolder(process.argv[2] ?? "");
console.log("held");
setTimeout(() => folder.close(), 60_000);
