import { raw } from "hono/html";
import type { Child, FC } from "hono/jsx";
import type { SinkReport, SourceReport, Status } from "../pipeline/status.ts";
import { ago, bytes, count } from "./quantities.ts";
import { style } from "./style.ts";

/** The status page: sources, sinks and the ledger; plain HTML that reloads itself every ten seconds. */
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
            <a href="/metrics">metrics</a>
            <a href="/api/v1/status">JSON</a>
          </nav>
        </header>
        <main>
          <Readiness notReady={status.notReady} />
          <Sources sources={status.sources} now={status.now} />
          <Sinks sinks={status.sinks} now={status.now} />
          <Room status={status} />
          <Ledger status={status} />
        </main>
      </body>
    </html>
  </>
);

const Readiness: FC<{ notReady: readonly string[] }> = ({ notReady }) =>
  notReady.length === 0 ? (
    <p class="good">Ready: every source and sink works.</p>
  ) : (
    <ul class="bad">
      {notReady.map((sentence) => (
        <li>{sentence}</li>
      ))}
    </ul>
  );

const Sources: FC<{ sources: readonly SourceReport[]; now: number }> = ({ sources, now }) => (
  <Section title="Sources" head={["Source", "State", "Last success", "Every", "Last error"]}>
    {sources.map(({ id, state, lastSuccess, lastError, intervalMs, progress }) => (
      <tr>
        <th scope="row">{id}</th>
        <td>
          <State state={state} />
          {progress && ` ${count(progress.done)} of ${count(progress.total)} ${progress.unit}`}
        </td>
        <td>{when(lastSuccess, now)}</td>
        <td>{intervalMs / 1000} s</td>
        <td class="reason">{lastError && `${lastError.reason}, ${when(lastError.time, now)}`}</td>
      </tr>
    ))}
  </Section>
);

const Sinks: FC<{ sinks: readonly SinkReport[]; now: number }> = ({ sinks, now }) => (
  <Section
    title="Sinks"
    head={["Sink", "State", "Delivered", "Waiting", "Lag", "Dead letters", "Last success", "Last error"]}
  >
    {sinks.map(({ id, state, delivered, waiting, lagSeconds, deadLetters, lastSuccess, lastError }) => (
      <tr>
        <th scope="row">{id}</th>
        <td>
          <State state={state} />
        </td>
        <td>{count(delivered)}</td>
        <td>{count(waiting)}</td>
        <td>{waiting > 0 ? ago(now - lagSeconds * 1000, now) : "none"}</td>
        <td>{count(Object.values(deadLetters).reduce((sum, dead) => sum + dead, 0))}</td>
        <td>{when(lastSuccess, now)}</td>
        <td class="reason">{lastError && `${lastError.reason}, ${when(lastError.time, now)}`}</td>
      </tr>
    ))}
  </Section>
);

const Room: FC<{ status: Status }> = ({ status: { journal, view } }) => (
  <>
    <h2>Room</h2>
    <p>
      Journal {bytes(journal.bytes)} of {bytes(journal.maxBytes)}
      {journal.full && <strong class="warn"> full: reading waits</strong>}; {count(view.series)} of {count(view.max)}{" "}
      live series, {count(view.runs)} runs.
    </p>
    {view.refused.size > 0 && (
      <p class="warn">
        Refused by the cap: {[...view.refused].map(([key, samples]) => `${key} (${count(samples)})`).join(", ")}
      </p>
    )}
  </>
);

const Ledger: FC<{ status: Status }> = ({ status: { ledger } }) => (
  <Section title="Ledger" head={["Part", "Counted", "Reason", "Samples"]}>
    {ledger.map(({ scope, id, name, reason, count: samples }) => (
      <tr>
        <th scope="row">
          {scope} {id}
        </th>
        <td>{name}</td>
        <td>{reason}</td>
        <td>{count(samples)}</td>
      </tr>
    ))}
  </Section>
);

const Section: FC<{ title: string; head: readonly string[]; children?: Child }> = ({ title, head, children }) => (
  <section>
    <h2>{title}</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  </section>
);

const tones: Readonly<Record<string, string>> = {
  ok: "good",
  idle: "good",
  delivering: "good",
  starting: "soft",
  stopped: "soft",
  ended: "soft",
  full: "warn",
  retrying: "warn",
  paused: "bad",
  failing: "bad",
};

const State: FC<{ state: string }> = ({ state }) => <span class={tones[state] ?? "soft"}>{state}</span>;

function when(time: number | undefined, now: number): string {
  return time === undefined ? "never" : `${ago(time, now)} ago`;
}
