import { Buffer } from "node:buffer";
import type { Sample } from "../model/sample.ts";
import { escapeHelp } from "./escape.ts";
import { ownNames } from "./names.ts";
import type { ExpositionFormat } from "./negotiate.ts";
import { seriesOf } from "./series.ts";

/**
 * Writes samples as a page that Prometheus and the Pushgateway read, in UTF-8: every family with HELP and TYPE gauge,
 * never a timestamp. Families must stand together, as they do in every batch of a `"latest"` sink. The two formats
 * differ in the last line alone: OpenMetrics ends with `# EOF`.
 */
export function renderExposition(
  samples: readonly Sample[],
  options: { readonly format: ExpositionFormat },
): Uint8Array {
  const chunks: Buffer[] = [];
  let text = "";
  let family = "";
  for (const sample of samples) {
    const { name, id } = seriesOf(sample);
    if (name !== family) {
      family = name;
      text += familyHead(name, sample);
    }
    text += `${id} ${formatValue(sample.value)}\n`;
    // One letter outside Latin-1 doubles the bytes of the whole string it is in, so pieces are encoded early.
    if (text.length > chunkLength) {
      chunks.push(Buffer.from(text));
      text = "";
    }
  }
  if (options.format === "openmetrics") text += "# EOF\n";
  chunks.push(Buffer.from(text));
  return Buffer.concat(chunks);
}

/** Writes a value as both formats want it: `NaN`, `+Inf`, `-Inf`, or the shortest digits that give the same number. */
export function formatValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

const chunkLength = 65_536;

function familyHead(name: string, sample: Sample): string {
  const own = sample.run === undefined || name === `mlflow_${sample.name}` ? ownNames.get(sample.name) : undefined;
  const what = sample.run === undefined ? "fact" : "metric";
  return `# HELP ${name} ${escapeHelp(own ?? `Latest value of the MLflow ${what} '${sample.name}'.`)}\n# TYPE ${name} gauge\n`;
}
