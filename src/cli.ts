#!/usr/bin/env -S bun --no-install
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
    backfill: () => import("./commands/backfill.ts"),
    queue: () => import("./commands/queue.ts"),
    "queue peek": () => import("./commands/queue-peek.ts"),
    "queue export": () => import("./commands/queue-export.ts"),
    "queue replay": () => import("./commands/queue-replay.ts"),
    "queue drop": () => import("./commands/queue-drop.ts"),
    "generate-sample": () => import("./commands/generate-sample.ts"),
    init: () => import("./commands/init.ts"),
    health: () => import("./commands/health.ts"),
  },
  process.argv.slice(2),
);
