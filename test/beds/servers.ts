import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bed } from "./bed.ts";
import { type Started, startProcess } from "./process.ts";
import { freePort, temporaryFolder } from "./wait.ts";

/**
 * Starts a real Prometheus on a free port with an empty store, the remote-write receiver and the lifecycle API.
 * `config` is its YAML; by default it scrapes nothing. Prometheus scrapes for the first time within the scrape interval.
 */
export async function startPrometheus({ config = "scrape_configs: []\n" }: { config?: string } = {}): Promise<Started> {
  const { folder, port, url, program } = await place("prometheus");
  const file = join(folder, "prometheus.yml");
  await writeFile(file, config);
  const options = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--web.enable-remote-write-receiver",
    "--web.enable-lifecycle",
    "--web.enable-admin-api",
    "--log.level=warn",
  ];
  return startProcess({ name: "Prometheus", command: [program, ...options], folder, url, ready: "/-/ready" });
}

/** Starts a real Pushgateway on a free port, with the admin API that wipes it. */
export async function startPushgateway(): Promise<Started> {
  const { folder, port, url, program } = await place("pushgateway");
  const options = [
    `--web.listen-address=127.0.0.1:${port}`,
    "--web.enable-lifecycle",
    "--web.enable-admin-api",
    "--log.level=warn",
  ];
  return startProcess({ name: "Pushgateway", command: [program, ...options], folder, url, ready: "/-/ready" });
}

/** Starts a real VictoriaMetrics on a free port; fresh data shows after `GET /internal/force_flush`. */
export async function startVictoriaMetrics(): Promise<Started> {
  const { folder, port, url, program } = await place("victoria-metrics");
  const options = [
    `-storageDataPath=${join(folder, "data")}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    "-retentionPeriod=100y",
    "-search.latencyOffset=0s",
    "-loggerLevel=WARN",
  ];
  return startProcess({ name: "VictoriaMetrics", command: [program, ...options], folder, url, ready: "/health" });
}

async function place(name: string): Promise<{ folder: string; port: number; url: string; program: string }> {
  const { skip, bin } = await bed("servers");
  if (skip) throw new Error(`Cannot start ${name}: ${skip}`);
  const { path } = await temporaryFolder();
  const port = await freePort();
  return { folder: path, port, url: `http://127.0.0.1:${port}`, program: join(bin, name) };
}
