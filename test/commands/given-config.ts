interface Given {
  /** Samples of the one batch that the source gives. */
  readonly count?: number;
  /** Whether the source does not hear that it is to stop. */
  readonly deaf?: boolean;
  /** The delivery options of the sink. */
  readonly host?: string;
  /** More of the configuration, such as `server: { … }`. */
  readonly rest?: string;
}

/** The text of a configuration whose source gives its samples once, then waits, and whose sink is a Pramathus. */
export const givenConfig = (url: string, { count = 3, deaf = false, host = "{}", rest = "" }: Given = {}) => `
import { defineSource, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
const time = 1_700_000_000_000;
const run = { id: "a".repeat(32), name: "r", experiment: { id: "1", name: "e" }, status: "running", startTime: time,
  user: "", stage: "None", tags: {}, params: {} } as const;
const given = defineSource("given", v.strictObject({}), () => ({
  async *read({ state, signal, polled }) {
    if (!state.get("read")) {
      state.set("read", "yes");
      const samples = Array.from({ length: ${count} }, (_, step) => ({ name: "loss", value: step, time: time + step, step, run }));
      yield { time: Date.now(), samples, ended: [], runs: [run] };
    }
    polled({ ok: true, nextMs: 60_000 });
    await new Promise((resolve) => {
      setInterval(() => {}, 1000);
      if (!${deaf}) signal.addEventListener("abort", resolve);
    });
  },
}));
export default {
  sources: [given()], sinks: [pramathus({ endpoint: ${JSON.stringify(url)} }, ${host})],
  ${rest}
};`;
