/**
 * `mlmon/prometheus`: what a plugin needs to speak to Prometheus and its kin.
 *
 * @module
 */
export { cleanText } from "./escape.ts";
export { formatValue, renderExposition } from "./exposition.ts";
export { gzipPage, type PackedPart, packPart } from "./gzip-page.ts";
export { labelName, metricName } from "./names.ts";
export { acceptsGzip, contentTypes, type ExpositionFormat, negotiateFormat } from "./negotiate.ts";
export { toOpenMetrics } from "./open-metrics.ts";
export { createReaders, type Readers, type ReadersOptions } from "./readers.ts";
export { seriesOf } from "./series.ts";
