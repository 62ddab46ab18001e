/**
 * Reads MLflow's JSON without losing what JavaScript's numbers cannot hold: integers of 16 digits and more in `step`
 * and `timestamp` become text, and the bare `NaN` and `Infinity` that the pages' own endpoints write become strings.
 * Throws `SyntaxError` for anything else that is not JSON. Called once per answer.
 */
export function parseAnswer(text: string): unknown {
  // Inside a JSON string every quote is escaped, so these patterns only meet real members.
  const safe = text
    .replace(/"(step|timestamp)"(\s*):(\s*)(-?\d{16,})/g, '"$1"$2:$3"$4"')
    .replace(/"value"(\s*):(\s*)(NaN|-?Infinity)/g, '"value"$1:$2"$3"');
  return JSON.parse(safe);
}

/** The objects and lists of a whole history of 128 MiB fit; one made of nothing else would take gigabytes as values. */
export const maxObjects = 4_000_000;

/** Whether a text holds more objects and lists than any answer of MLflow. Called once per answer. */
export function isTooDense(text: string): boolean {
  if (text.length <= 2 * maxObjects) return false;
  let objects = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) objects++;
  }
  return objects > maxObjects;
}
