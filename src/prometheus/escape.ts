/**
 * Makes a text fit for a label value: a lone surrogate, which has no UTF-8, and NUL, at which Prometheus stops
 * reading a page, become U+FFFD.
 */
export function cleanText(text: string): string {
  return plain.test(text) ? text : text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}

/** Escapes a cleaned text for the place between the quotes of a label value; the same in both formats. */
export function escapeLabelValue(text: string): string {
  return needsEscape.test(text) ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : text;
}

/**
 * Escapes a HELP text. A quote is escaped in OpenMetrics and must not be in text 0.0.4, so it becomes an apostrophe and
 * the line is right in both.
 */
export function escapeHelp(text: string): string {
  return cleanText(text).replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', "'");
}

const plain = /^[\x20-\x7e]*$/;
const needsEscape = /[\\"\n]/;
