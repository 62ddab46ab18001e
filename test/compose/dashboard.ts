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
