import process from "node:process";
import { runtime } from "../runtime/runtime.ts";
import type { OwnSeries } from "./own-series.ts";

/** The program itself, and its configuration. */
export const processSeries: readonly OwnSeries[] = [
  {
    name: "mlmon_config_last_reload_successful",
    kind: "gauge",
    help: "Whether the last load of the configuration succeeded",
    values: ({ reload }) => [[{}, reload.successful ? 1 : 0]],
  },
  {
    name: "mlmon_config_last_reload_success_timestamp_seconds",
    kind: "gauge",
    help: "Time at which the configuration at work was loaded",
    values: ({ reload }) => [[{}, reload.lastSuccess / 1000]],
  },
  {
    name: "mlmon_build_info",
    kind: "gauge",
    help: "Version and runtime; always 1",
    labels: ["version", "runtime"],
    values: ({ version }) => [[{ version, runtime }, 1]],
  },
  {
    name: "process_start_time_seconds",
    kind: "gauge",
    help: "Start time of the process",
    values: ({ startedAt }) => [[{}, startedAt / 1000]],
  },
  {
    name: "process_resident_memory_bytes",
    kind: "gauge",
    help: "Resident memory of the process",
    values: () => [[{}, process.memoryUsage.rss()]],
  },
  {
    name: "process_cpu_seconds_total",
    kind: "counter",
    help: "User and system CPU time of the process",
    values() {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  },
];
