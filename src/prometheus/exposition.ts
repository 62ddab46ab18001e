import type { Sample } from "../model/sample.ts";
import { escapeHelp } from "./escape.ts";
import { ownNames } from "./names.ts";
import type { ExpositionFormat } from "./negotiate.ts";
import { PageBuffer } from "./page-buffer.ts";
import { seriesOf } from "./series.ts";

/**
 * Writes samples as a page that Prometheus and the Pushgateway read, in UTF-8: every family with HELP and TYPE gauge,
 * never a timestamp. Families must stand together, as they do in every batch of a `"latest"` sink. The two formats
 * differ in the last line alone: OpenMetrics ends with `# EOF`.
 */
export function renderExposition(
  samples: readonly Sample[],
  options: { readonly format: ExpositionFormat },
): Uint8Array<ArrayBuffer> {
  const page = new PageBuffer(expectedBytes(samples));
  let family = "";
  for (const sample of samples) {
    const { name, id } = seriesOf(sample);
    if (name !== family) {
      family = name;
      page.text(familyHead(name, sample));
    }
    page.line(id, formatValue(sample.value));
  }
  if (options.format === "openmetrics") page.text("# EOF\n");
  return page.bytes();
}

/** Writes a value as both formats want it: `NaN`, `+Inf`, `-Inf`, or the shortest digits that give the same number. */
export function formatValue(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

function expectedBytes(samples: readonly Sample[]): number {
  // A value takes 19 characters on average, and the last line needs room for three bytes a letter.
  return samples.reduce((sum, { series }) => sum + (series?.id.length ?? 0) + 21, 4096);
}

function familyHead(name: string, { name: key, run }: Sample): string {
  const own = name === `mlflow_${key}` ? ownNames.get(key) : undefined;
  const help = own ?? `Latest value of the MLflow ${run ? "metric" : "fact"} '${key}'.`;
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n`;
}
