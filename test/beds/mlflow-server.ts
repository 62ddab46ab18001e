/** Starts the MLflow bed, prints its address, and ends it when stdin closes; run by `scripts/test.js`. */
import { bed } from "./bed.ts";

const { skip, url, stop } = await bed("mlflow");
if (skip) process.exit(1);
console.log(url);
process.stdin.resume();
process.stdin.once("end", async () => {
  await stop();
  process.exit(0);
});
