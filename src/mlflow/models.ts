import type { Sample } from "../model/sample.ts";
import { modelsAnswer, modelVersionsAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { MlflowError } from "./mlflow-error.ts";
import { pageRows } from "./next-token.ts";

/**
 * Reads the model registry as info gauges: `model_version_info{name, version, alias, stage, run_id} 1`, one for each
 * alias of a version. Two requests per 500 models; nothing where the server has no registry.
 */
export async function readModels(client: Client, now: number): Promise<readonly Sample[]> {
  try {
    const aliases = await readAliases(client);
    const samples: Sample[] = [];
    for await (const { name, version, current_stage, run_id } of modelVersions(client)) {
      const named = aliases.get(name);
      if (!named) continue;
      for (const alias of named.get(version) ?? [""]) {
        const labels = { name, version, alias, stage: current_stage, run_id: run_id.slice(0, 8) };
        samples.push({ name: "model_version_info", value: 1, time: now, step: 0, labels });
      }
    }
    return samples.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  } catch (error) {
    if (error instanceof MlflowError && optional.has(error.trouble)) return [];
    throw error;
  }
}

const optional: ReadonlySet<string> = new Set(["unknown", "unsupported", "permission", "invalid", "foreign"]);

function idOf({ labels = {} }: Sample): string {
  return JSON.stringify([labels.name, Number(labels.version), labels.alias]);
}

/** Aliases by model and version. Prompts are models too on older servers: those are left out. */
async function readAliases(client: Client): Promise<Map<string, Map<string, string[]>>> {
  const models = new Map<string, Map<string, string[]>>();
  let token: string | undefined;
  do {
    const query = [["max_results", String(pageRows)], ...(token ? [["page_token", token] as const] : [])] as const;
    const page = await client.get("/api/2.0/mlflow/registered-models/search", query, modelsAnswer);
    for (const { name, aliases, tags } of page.registered_models) {
      if (tags.some(({ key, value }) => key === "mlflow.prompt.is_prompt" && value === "true")) continue;
      const byVersion = Map.groupBy(aliases, ({ version }) => version);
      models.set(
        name,
        new Map([...byVersion].map(([version, list]) => [version, list.map(({ alias }) => alias).sort()])),
      );
    }
    if (page.registered_models.length === 0 || page.next_page_token === token) break;
    token = page.next_page_token || undefined;
  } while (token);
  return models;
}

async function* modelVersions(client: Client) {
  let token: string | undefined;
  do {
    const query = [["max_results", String(pageRows)], ...(token ? [["page_token", token] as const] : [])] as const;
    const page = await client.get("/api/2.0/mlflow/model-versions/search", query, modelVersionsAnswer);
    yield* page.model_versions;
    if (page.model_versions.length === 0 || page.next_page_token === token) break;
    token = page.next_page_token || undefined;
  } while (token);
}
