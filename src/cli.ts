#!/usr/bin/env bun
import process from "node:process";
import { main } from "./commands/main.ts";

await main(
  {
    run: () => import("./commands/run.ts"),
    continuous: () => import("./commands/run.ts"),
    "export-once": () => import("./commands/export-once.ts"),
    "dry-run": () => import("./commands/dry-run.ts"),
    validate: () => import("./commands/validate.ts"),
    doctor: () => import("./commands/doctor.ts"),
    "generate-sample": () => import("./commands/generate-sample.ts"),
    init: () => import("./commands/init.ts"),
    health: () => import("./commands/health.ts"),
  },
  process.argv.slice(2),
);
