import { defineHttpSink, v } from "mlmon";
export const ntfy = defineHttpSink("ntfy", v.strictObject({ topic: v.string() }), ({ topic }) => ({
  render: (batch) =>
    batch.samples.map((s) => ({ method: "POST", url: `https://ntfy.sh/${topic}`, body: `${s.name} = ${s.value}` })),
}));
ntfy({ topic: "x" }, { id: "a" });
// @ts-expect-error a misspelt option
ntfy({ topik: "x" });
// @ts-expect-error a missing option
ntfy();
