/** What stands around a wrong use: the servers it meets. */
export interface Surroundings {
  /** Answers every request with a web page. */
  readonly page: string;
  /** Refuses every request with 401. */
  readonly locked: string;
  /** Where nobody listens. */
  readonly closed: string;
  /** `host:port` that somebody listens on. */
  readonly taken: string;
}

/** A command line that must end with one clear message. */
export interface WrongUse {
  readonly name: string;
  readonly words: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly status: 1 | 2;
  /** What stderr must say. */
  readonly says: RegExp;
}

/** Stands in files and variables where a secret may stand; no output may hold it. */
export const secretWord = "hunter2hunter2";

const head = `import { mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
`;
const config = (text: string) => ({ "mlmon.config.ts": `${head}${text}` });

/** Mistakes on the command line: no file, no server. */
export const usages: readonly WrongUse[] = [
  usage("an unknown command", ["runn"], /^mlmon: Unknown command "runn": did you mean "run"\?$/m),
  usage("a command like nothing", ["frobnicate"], /Unknown command "frobnicate": see mlmon --help/),
  usage("a name that every object has", ["constructor"], /Unknown command "constructor"/),
  usage("an unknown flag", ["run", "--confg", "x"], /Unknown flag "--confg": did you mean "--config"\?/),
  usage("an unknown flag with a value", ["run", "--lisen=:1"], /Unknown flag "--lisen": did you mean "--listen"\?/),
  usage(
    "a flag of another command",
    ["validate", "--listen", ":1"],
    /Unknown flag "--listen": see mlmon validate --help/,
  ),
  usage("a result as JSON of what has none", ["run", "--json"], /Unknown flag "--json": see mlmon run --help/),
  usage("a negated flag", ["validate", "--no-json"], /Unknown flag "--no-json": did you mean "--json"\?/),
  usage(
    "samples to delete by their number",
    ["generate-sample", "--delete", "--runs", "2"],
    /^mlmon: Cannot use --delete and --runs together: it deletes all that was logged so$/m,
  ),
  usage(
    "JSON of what is NDJSON anyway",
    ["queue", "export", "--json"],
    /Unknown flag "--json": see mlmon queue export/,
  ),
  usage(
    "a queue of all sinks to drop, and nobody to ask",
    ["queue", "drop", "--waiting"],
    /without --sink ID and, as this is no terminal to ask on, --yes$/m,
  ),
  usage("a queue of all sinks to drop", ["queue", "drop", "--waiting", "--yes"], /without --sink ID$/m),
  usage("a short flag", ["validate", "-c", "x"], /Unknown flag "-c"/),
  usage("a flag of mlmon itself, misspelt", ["--versoin"], /Unknown flag "--versoin": did you mean "--version"\?/),
  usage(
    "a flag before the command",
    ["--json", "validate"],
    /The command comes before its flags: mlmon validate --json/,
  ),
  usage("a word too many", ["run", "now"], /Unknown word "now" after "mlmon run"/),
  usage("a flag without its value", ["run", "--config"], /The flag "--config" needs a value: --config FILE/),
  usage("an empty value", ["run", "--config="], /The flag "--config" needs a value/),
  usage("a flag where a value should be", ["run", "--config", "--json"], /The flag "--config" needs a value/),
  usage("a value where there is none", ["validate", "--json=yes"], /The flag "--json" takes no value/),
  usage("a flag given twice", ["run", "--state", "a", "--state", "b"], /The flag "--state" is given twice/),
  usage("an unknown log level", ["validate", "--log-level", "loud"], /--log-level "loud": expected one of debug, info/),
  usage("an unknown format", ["dry-run", "--format", "xml"], /--format "xml": expected one of text, json, curl/),
  usage("a limit that is no number", ["dry-run", "--limit", "all"], /--limit "all": expected a whole number/),
  usage(
    "two formats at once",
    ["dry-run", "--raw", "--format", "json"],
    /^mlmon: Cannot use --format and --raw together: give one of them$/m,
  ),
  usage(
    "a sink that is not there",
    ["dry-run", "--sink", "promtheus"],
    /the sink "promtheus": expected one of prometheus/,
  ),
  usage("a timeout that is none", ["export-once", "--timeout", "soon"], /--timeout "soon": expected a duration/),
  usage("an address that is none", ["run", "--listen", "99999"], /--listen: expected host:port .*found "99999"/),
  usage(
    "an open address without a token",
    ["run", "--listen", "0.0.0.0:1"],
    /--listen: everyone who reaches "0\.0\.0\.0" could read/,
  ),
  usage("a configuration that is not there", ["run", "--config", "nope.ts"], /Cannot find the configuration "nope.ts"/),
  usage("a folder as the configuration", ["validate", "--config", "."], /"\.": it is a folder/),
];

/** Mistakes in files and variables. */
export const configurations: readonly WrongUse[] = [
  {
    name: "two misspelt options at once",
    words: ["validate"],
    files: config(`export default { sources: [mlflow({ trackingUrl: "x" })], sinks: [prometheus({ pth: "/" })] };`),
    status: 2,
    says: /sources\[0\]\.trackingUrl: .*did you mean "trackingUri"\?\n {2}sinks\[0\]\.pth: .*did you mean "path"\?\n$/,
  },
  {
    name: "a sink among the sources and a factory that is not called",
    words: ["validate"],
    files: config("export default { sources: [prometheus()], sinks: [prometheus] };"),
    status: 2,
    says: /sources\[0\]: .*found the sink prometheus\(\)\n {2}sinks\[0\]: .*it must be called/,
  },
  ...["run", "export-once", "validate --strict"].map(
    (words): WrongUse => ({
      name: "an unset secret",
      words: words.split(" "),
      files:
        config(`const sink = pramathus({ endpoint: "http://u:${secretWord}@h/?k=${secretWord}", apiKey: secret.env("NOPE") });
export default { sources: [mlflow()], sinks: [sink] };`),
      status: 2,
      says: /sinks\[0\]\.apiKey: The secret "NOPE" is not set: export the variable NOPE/,
    }),
  ),
  {
    name: "a configuration that does not parse",
    words: ["validate"],
    files: config("export default { sources: ["),
    status: 2,
    says: /Cannot read the configuration "mlmon\.config\.ts": line 4: /,
  },
  {
    name: "a configuration that throws",
    words: ["run"],
    files: config(`throw new Error("no ${secretWord.slice(0, 3)}");`),
    status: 2,
    says: /Cannot read the configuration "mlmon\.config\.ts": line 4: no hun$/m,
  },
  {
    name: "a configuration that ends the program",
    words: ["run"],
    files: config("process.exit(0);"),
    status: 2,
    says: /Cannot read the configuration "mlmon\.config\.ts": .*it calls process\.exit\(0\), which would end mlmon/,
  },
  {
    name: "a configuration that exports no default",
    words: ["run"],
    files: config("export const config = {};"),
    status: 2,
    says: /it exports no default; write export default defineConfig/,
  },
  {
    name: "a YAML file that does not parse",
    words: ["run", "--config", "config.yaml"],
    files: { "config.yaml": `pramathus: { api_key: "${secretWord}" }\nmlflow: [` },
    status: 2,
    says: /Cannot read the configuration "config\.yaml": it is not YAML: .*line \d/,
  },
  {
    name: "variables that cannot be understood",
    words: ["run"],
    env: { EXPORT_INTERVAL: "soon", MLFLOW_TRACKING_URI: `ftp://me:${secretWord}@x` },
    status: 2,
    says: /EXPORT_INTERVAL: .*found "soon"\n {2}MLFLOW_TRACKING_URI: expected an http.*found "ftp:\/\/x"/,
  },
  {
    name: "a secret with a line end in it",
    words: ["run"],
    env: { PRAMATHUS_ENDPOINT: "http://localhost/", PRAMATHUS_API_KEY: `${secretWord}\nx` },
    status: 2,
    says: /PRAMATHUS_API_KEY: The secret "PRAMATHUS_API_KEY" holds a control character/,
  },
];

/** Work that fails for a reason outside mlmon. */
export function failures({ page, locked, closed, taken }: Surroundings): readonly WrongUse[] {
  const login = (url: string) => url.replace("//", `//me:${secretWord}@`);
  const reading = (name: string, url: string, says: RegExp): readonly WrongUse[] =>
    ["export-once", "dry-run"].map((word) => ({
      name: `${name} for ${word}`,
      words: [word],
      env: { MLFLOW_TRACKING_URI: login(url) },
      status: 1,
      says,
    }));
  const quiet = { MLFLOW_TRACKING_URI: closed };
  return [
    ...reading(
      "an MLflow that is away",
      closed,
      /Cannot use MLflow at http:\/\/127\.0\.0\.1:\d+ as connection refused/,
    ),
    ...reading("a server that is no MLflow", page, /gave no answer of MLflow \(a web page\): check trackingUri/),
    ...reading(
      "an MLflow that asks for a login",
      locked,
      /refuses the credentials \(401\): correct username and password/,
    ),
    {
      name: "an unset password of MLflow",
      words: ["dry-run"],
      files: config(`const password = secret.env("NOPE");
export default { sources: [mlflow({ trackingUri: "${locked}", username: "me", password })], sinks: [prometheus()] };`),
      status: 1,
      says: /^mlmon: Cannot log in to MLflow at .*: The secret "NOPE" is not set: export the variable NOPE$/m,
    },
    {
      name: "a state folder that is a file",
      words: ["run", "--state", "taken"],
      files: { taken: "a file" },
      env: quiet,
      status: 1,
      says: /Cannot .*the state folder ".*taken"/,
    },
    {
      name: "a state folder below a file, for export-once",
      words: ["export-once", "--state", "taken/state"],
      files: { taken: "a file" },
      env: quiet,
      status: 1,
      says: /Cannot .*the state folder ".*taken\/state"/,
    },
    {
      name: "a port in use",
      words: ["run", "--listen", taken],
      env: quiet,
      status: 1,
      says: /Cannot listen on 127\.0\.0\.1:\d+: the port is in use; choose another one with --listen or MLMON_LISTEN/,
    },
    {
      name: "a journal that is none",
      words: ["run"],
      files: { ".mlmon/journal.db": "this is not a journal" },
      env: quiet,
      status: 1,
      says: /Cannot open the journal ".*journal\.db" as it is not a journal of mlmon: move it away/,
    },
    {
      name: "a recorded sample that is none",
      words: ["dry-run", "--input", "samples.ndjson"],
      files: { "samples.ndjson": `{"name":"loss","value":1,"time":5}\n\n{"name":"loss","value":"much","time":6}\n` },
      status: 1,
      says: /Cannot read "samples\.ndjson" line 3: value: /,
    },
    {
      name: "a recorded sample without its value",
      words: ["dry-run", "--input", "samples.ndjson"],
      files: { "samples.ndjson": `{"name":"loss","time":5}\n` },
      status: 1,
      says: /Cannot read "samples\.ndjson" line 1: value: is missing$/m,
    },
    {
      name: "a recorded line that is no JSON",
      words: ["dry-run", "--input", "samples.ndjson"],
      files: { "samples.ndjson": `{"name":"loss","value":1,"time":5}\n{"name":` },
      status: 1,
      says: /Cannot read "samples\.ndjson" line 2: it is not JSON/,
    },
    {
      name: "recorded samples that are not there",
      words: ["dry-run", "--input", "nope.ndjson"],
      status: 1,
      says: /Cannot read the recorded samples "nope\.ndjson": there is no such file/,
    },
    {
      name: "a snapshot that is none",
      words: ["dry-run", "--input", "samples.ndjson", "--snapshot", "kept.json"],
      files: { "samples.ndjson": "", "kept.json": "{}" },
      status: 1,
      says: /Cannot read the snapshot "kept\.json": it is not one that mlmon has written; delete it/,
    },
  ];
}

function usage(name: string, words: readonly string[], says: RegExp): WrongUse {
  return { name, words, status: 2, says };
}
