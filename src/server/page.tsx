/** @jsxImportSource hono/jsx */
import { raw } from "hono/html";
import type { FC } from "hono/jsx";
import { SinkCard, SourceCard } from "./cards.tsx";
import { concerns } from "./concerns.ts";
import { ago, bytes, count } from "./quantities.ts";
import type { Status } from "./status.ts";
import { style } from "./style.ts";

/** The status page: sources, sinks, capacity and the ledger; plain HTML that reloads itself every ten seconds. */
export const StatusPage: FC<{ status: Status }> = ({ status }) => (
  <>
    {raw("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="10" />
        <title>{status.notReady.length === 0 ? "mlmon" : "mlmon: not ready"}</title>
        <style>{raw(style)}</style>
      </head>
      <body>
        <header>
          <h1>mlmon</h1>
          <span class="soft">
            {status.version}, up {ago(status.startedAt, status.now)}, configuration {status.config}
          </span>
          <nav>
            <a href="/metrics">Metrics</a>
            <a href="/api/v1/status">JSON</a>
          </nav>
        </header>
        <main>
          <Readiness status={status} />
          {status.warnings.map((warning) => (
            <p class="banner warn">{warning}</p>
          ))}
          <FailedReload status={status} />
          <h2>Sources</h2>
          {status.sources.map((source) => (
            <SourceCard source={source} now={status.now} />
          ))}
          <h2>Sinks</h2>
          {status.sinks.map((sink) => (
            <SinkCard sink={sink} now={status.now} />
          ))}
          <Capacity status={status} />
          <Ledger status={status} />
        </main>
      </body>
    </html>
  </>
);

const Readiness: FC<{ status: Status }> = ({ status }) => {
  if (status.notReady.length > 0) return <Banner tone="bad" title="Not ready" sentences={status.notReady} />;
  const unwell = concerns(status);
  if (unwell.length > 0) return <Banner tone="warn" title="Ready, but not all is well" sentences={unwell} />;
  return <p class="banner good">Ready: no source or sink has gone long without success</p>;
};

const Banner: FC<{ tone: "bad" | "warn"; title: string; sentences: readonly string[] }> = (banner) => (
  <div class={`banner ${banner.tone}`}>
    <strong>{banner.title}</strong>
    <ul>
      {banner.sentences.map((sentence) => (
        <li>{sentence}</li>
      ))}
    </ul>
  </div>
);

const FailedReload: FC<{ status: Status }> = ({ status: { reload, now } }) =>
  reload.lastError ? (
    <div class="banner bad">
      <strong>
        The configuration was not loaded again, {ago(reload.lastError.time, now)} ago, and stays as it was
      </strong>
      <p>{reload.lastError.reason}</p>
    </div>
  ) : null;

const Capacity: FC<{ status: Status }> = ({ status: { journal, view } }) => (
  <>
    <h2>Capacity</h2>
    <p>
      Journal: {bytes(journal.bytes)}
      {Number.isFinite(journal.maxBytes) && ` of ${bytes(journal.maxBytes)}`}
      {Number.isFinite(journal.freeBytes) && `, ${bytes(journal.freeBytes)} free on its disk`}
      {journal.full && <strong class="warn">, full: reading waits for the slowest sink</strong>}
    </p>
    <p>
      Live series: {count(view.series)} of {count(view.max)}, from {count(view.runs)} runs
    </p>
    {view.refused.size > 0 && (
      <p class="warn">
        Refused beyond the most series: {[...view.refused].map(([key, n]) => `${key} (${count(n)})`).join(", ")}
      </p>
    )}
  </>
);

const Ledger: FC<{ status: Status }> = ({ status: { ledger, ledgerMismatches } }) => (
  <>
    <h2>Ledger</h2>
    {ledgerMismatches.map((mismatch) => (
      <p class="banner bad">Does not add up, please report it: {mismatch}</p>
    ))}
    <table>
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">Counted</th>
          <th scope="col" class="number">
            Samples
          </th>
        </tr>
      </thead>
      <tbody>
        {inOrder(ledger).map(({ scope, id, name, reason, count: samples }) => (
          <tr>
            <th scope="row">
              <span class="soft">{scope}</span> {id}
            </th>
            <td>
              {names[name] ?? name}
              {reason && <span class="soft">: {reason}</span>}
            </td>
            <td class="number">{count(samples)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </>
);

/** As samples flow: sources, transforms, sinks. */
function inOrder(ledger: Status["ledger"]): Status["ledger"] {
  const scopes = ["source", "transform", "sink"];
  return ledger.toSorted((a, b) => scopes.indexOf(a.scope) - scopes.indexOf(b.scope));
}

const names: Readonly<Record<string, string>> = {
  dead: "dead letters",
  nonfinite: "NaN or infinite",
  rounded: "step or time beyond 2⁵³",
};
