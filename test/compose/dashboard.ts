import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "../../deploy/grafana/dashboards/mlflow-dashboard.json");

interface Dashboard {
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

interface Variable {
  readonly name: string;
  /** What stands for all values where Grafana may choose all. */
  readonly allValue?: string;
  readonly current: { readonly value: string | readonly string[] };
}

/** Every query of the dashboard with its variables set to what Grafana chooses at first: all experiments, all runs. */
export function dashboardQueries(): readonly { title: string; expression: string }[] {
  const { panels, templating }: Dashboard = JSON.parse(readFileSync(file, "utf8"));
  const values = templating.list.map(
    ({ name, allValue, current }) => [`$${name}`, allValue ?? `${current.value}`] as const,
  );
  const filled = (text: string) => values.reduce((done, [name, value]) => done.replaceAll(name, () => value), text);
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title: filled(title), expression: filled(expr) })),
  );
}

/** The names of all metrics in the dashboard's queries, whatever else would give them data (`or vector(0)`). */
export function dashboardMetrics(): readonly string[] {
  const unquoted = dashboardQueries().map(({ expression }) => expression.replaceAll(/"[^"]*"/g, ""));
  return [...new Set(unquoted.flatMap((expression) => expression.match(/\b(?:mlflow|mlmon|process|push)_\w+/g) ?? []))];
}
