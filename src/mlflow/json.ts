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
