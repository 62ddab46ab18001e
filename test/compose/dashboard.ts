import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "../../deploy/grafana/dashboards/mlflow-dashboard.json");

/** Every query of the dashboard with its variables set to what Grafana chooses at first: all experiments, all runs. */
export function dashboardQueries(): readonly { title: string; expression: string }[] {
  const { panels }: { panels: readonly { title: string; targets?: readonly { expr: string }[] }[] } = JSON.parse(
    readFileSync(file, "utf8"),
  );
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expression: expr
        .replaceAll("$experiment", ".*")
        .replaceAll("$run", ".*")
        .replaceAll("$metric", "mlflow_accuracy"),
    })),
  );
}

/** The names of all metrics in the dashboard's queries, whatever else would give them data (`or vector(0)`). */
export function dashboardMetrics(): readonly string[] {
  const unquoted = dashboardQueries().map(({ expression }) => expression.replaceAll(/"[^"]*"/g, ""));
  return [...new Set(unquoted.flatMap((expression) => expression.match(/\b(?:mlflow|mlmon|process|push)_\w+/g) ?? []))];
}
