/** @jsxImportSource hono/jsx */
import type { Child, FC } from "hono/jsx";
import { ago, count, samples, span } from "./quantities.ts";
import type { SinkReport, SourceReport } from "./status.ts";

/** How one source is doing. */
export const SourceCard: FC<{ source: SourceReport; now: number }> = ({ source, now }) => {
  const { experiments, runs, progress, lastSuccess, intervalMs } = source;
  return (
    <Card part={source} toward="From" now={now}>
      {experiments !== undefined && <Figure name="Experiments">{count(experiments)}</Figure>}
      {runs !== undefined && <Figure name="Runs">{count(runs)}</Figure>}
      <Figure name="Last success">{when(lastSuccess, now)}</Figure>
      <Figure name="Interval">{span(intervalMs)}</Figure>
      {progress && (
        <Figure name="Read so far">
          {count(progress.done)} {progress.total !== undefined && `of ${count(progress.total)} `}
          {progress.unit}
        </Figure>
      )}
    </Card>
  );
};

/** How one sink is doing. */
export const SinkCard: FC<{ sink: SinkReport; now: number }> = ({ sink, now }) => {
  const dead = Object.values(sink.deadLetters).reduce((sum, each) => sum + each, 0);
  return (
    <Card part={sink} toward="To" now={now}>
      <Figure name={sink.pulled ? "Page updated" : "Last success"}>{when(sink.lastSuccess, now)}</Figure>
      <Figure name={sink.pulled ? "Exposed" : "Delivered"}>{samples(sink.delivered)}</Figure>
      <Figure name="Waiting">{samples(sink.waiting)}</Figure>
      <Figure name="Lag">{sink.waiting > 0 ? ago(now - sink.lagSeconds * 1000, now) : "none"}</Figure>
      {sink.dropped > 0 && (
        <Figure name="Dropped">
          <span class="bad">{samples(sink.dropped)}</span>
        </Figure>
      )}
      <Figure name="Dead letters">{dead > 0 ? <span class="bad">{count(dead)}</span> : "0"}</Figure>
    </Card>
  );
};

type Part = Pick<SourceReport, "id" | "type" | "place" | "lastSuccess" | "lastError"> & { readonly state: string };

const Card: FC<{ part: Part; toward: "From" | "To"; now: number; children?: Child }> = (card) => {
  const { part, toward, now, children } = card;
  const { id, type, place, state, lastSuccess, lastError } = part;
  const over = lastError && lastSuccess !== undefined && lastSuccess > lastError.time;
  return (
    <article>
      <h3>
        {id} {type !== id && <span class="soft">{type}</span>}
        <span class={`state ${tones[state] ?? "soft"}`}>{state}</span>
      </h3>
      {place && (
        <p class="soft">
          {toward} {place}
        </p>
      )}
      <dl>{children}</dl>
      {lastError && (
        <p class={over ? "reason soft" : "reason bad"}>
          Last error, {when(lastError.time, now)}: {lastError.reason}
        </p>
      )}
    </article>
  );
};

const Figure: FC<{ name: string; children?: Child }> = ({ name, children }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const tones: Readonly<Record<string, string>> = {
  ok: "good",
  idle: "good",
  delivering: "good",
  full: "warn",
  retrying: "warn",
  paused: "bad",
  failing: "bad",
};

function when(time: number | undefined, now: number): string {
  return time === undefined ? "never" : `${ago(time, now)} ago`;
}
