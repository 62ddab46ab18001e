// What a test runner reports, from the JUnit file it wrote.

/**
 * Reads the test cases of a report. Deno lists a `describe` as a case of its own beside the tests in it, named
 * "describe > test": only the innermost are tests.
 */
export function readJunit(text) {
  const cases = [...text.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, head, body = ""]) => {
    const classname = attribute(head, "classname");
    const name = attribute(head, "name");
    return {
      name: attribute(head, "assertions") && classname ? `${classname} > ${name}` : name,
      outcome: /<(failure|error)\b/.test(body) ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed",
    };
  });
  const parents = new Set(cases.flatMap(({ name }) => outer(name)));
  // A describe that fails by itself (in a hook, say) has no failing test within and counts.
  const failures = cases.filter(({ outcome }) => outcome === "failed").flatMap(({ name }) => outer(name));
  return cases.filter(({ name, outcome }) => !parents.has(name) || (outcome === "failed" && !failures.includes(name)));
}

function attribute(head, name) {
  const found = head.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? "";
  return found
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

function outer(name) {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join(" > "));
}
