import { invalid } from "./answers.ts";
import type { StoredRun } from "./store.ts";

/**
 * Reads the `filter` of `runs/search`: comparisons of a run's attributes joined by AND. As in MLflow an attribute that
 * a run does not have matches nothing, and what is not understood is refused, never ignored.
 */
export function parseRunFilter(filter: string): (run: StoredRun) => boolean {
  const clauses: ((run: StoredRun) => boolean)[] = [];
  let rest = filter.trim();
  while (rest !== "") {
    const match = clause.exec(rest);
    const { name, operator, value } = match?.groups ?? {};
    if (!match || name === undefined || operator === undefined || value === undefined) {
      throw invalid(`Invalid clause(s) in filter string: '${rest}'`);
    }
    clauses.push(comparison(name, operator.toUpperCase(), value));
    rest = rest.slice(match[0].length);
  }
  return (run) => clauses.every((holds) => holds(run));
}

const clause =
  /^(?:attributes?\.)?(?<name>\w+)\s*(?<operator>!=|>=|<=|=|>|<|IN\b)\s*(?<value>'[^']*'|"[^"]*"|-?\d+|\([^()]*\))(?:\s+AND\s+(?=\S)|\s*$)/i;

const texts: Readonly<Record<string, (run: StoredRun) => string>> = {
  run_id: ({ id }) => id,
  run_name: ({ name }) => name,
  status: ({ status }) => status,
};
const numbers: Readonly<Record<string, (run: StoredRun) => number | undefined>> = {
  start_time: ({ startTime }) => startTime,
  end_time: ({ endTime }) => endTime,
};

function comparison(name: string, operator: string, value: string): (run: StoredRun) => boolean {
  const text = texts[name];
  const number = numbers[name];
  if (text && operator === "IN" && name === "run_id") {
    const ids = new Set([...value.matchAll(/['"]([^'"]*)['"]/g)].map(([, id]) => id));
    if (ids.size === 0) throw invalid("Expected a non-empty list of string values");
    return (run) => ids.has(text(run));
  }
  if (text && (operator === "=" || operator === "!=") && /^['"]/.test(value)) {
    const wanted = value.slice(1, -1);
    return (run) => (text(run) === wanted) === (operator === "=");
  }
  const compare = comparisons[operator];
  if (number && compare && /^-?\d+$/.test(value)) {
    return (run) => {
      const own = number(run);
      return own !== undefined && compare(own, Number(value));
    };
  }
  throw invalid(`Invalid comparison '${name} ${operator} ${value}'`);
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};
