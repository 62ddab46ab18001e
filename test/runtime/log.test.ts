import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Secret, secret } from "../../src/model/secret.ts";
import { createLog, type LogOptions } from "../../src/runtime/log.ts";

/** A log whose lines are kept. */
function kept(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, log: createLog({ level: "info", format: "text", ...options, write }) };
}

describe("createLog()", () => {
  it("writes one line an event: time, level, message, fields", () => {
    const { lines, log } = kept();
    log.warn("Cannot reach the sink", { sink: "pramathus", reason: "no route", attempt: 3, since: undefined });
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}Cannot reach the sink sink=pramathus reason="no route" attempt=3\n$/,
    );
  });

  it("writes JSON with the same fields", () => {
    const { lines, log } = kept({ format: "json" });
    log.error("It is lost", { sink: "a", samples: 5 });
    const { time, ...rest } = JSON.parse(lines[0] ?? "");
    assert.ok(Date.parse(time) > 0);
    assert.deepEqual(rest, { level: "error", message: "It is lost", sink: "a", samples: 5 });
  });

  it("keeps every event on one line, whatever a receiver has said", () => {
    for (const format of ["text", "json"] as const) {
      const { lines, log } = kept({ format });
      log.info("two\nlines", { words: "a\r\nb\u001b[31mc" });
      assert.equal(
        lines
          .join("")
          .trimEnd()
          .split(/[\r\n]/).length,
        1,
        format,
      );
      assert.doesNotMatch(lines.join(""), new RegExp(String.fromCharCode(27)));
    }
  });

  it("writes nothing below its level, and each level from there on", () => {
    const written = (level: LogOptions["level"]) => {
      const { lines, log } = kept({ level });
      for (const at of ["debug", "info", "warn", "error"] as const) log[at](at);
      return lines.map((line) => line.trimEnd().split(" ").at(-1));
    };
    assert.deepEqual(written("debug"), ["debug", "info", "warn", "error"]);
    assert.deepEqual(written("warn"), ["warn", "error"]);
    assert.deepEqual(written("error"), ["error"]);
  });

  it("asks for the fields of a debug line only where it is written", () => {
    let asked = 0;
    const fields = () => ({ asked: ++asked });
    kept({ level: "info" }).log.debug("A request", fields);
    assert.equal(asked, 0);
    const { lines, log } = kept({ level: "debug" });
    log.debug("A request", fields);
    assert.match(lines.join(), /DEBUG A request asked=1\n$/);
  });

  it("writes equal events as often as they happen", () => {
    const { lines, log } = kept();
    for (let at = 0; at < 20; at++) log.info("again");
    assert.equal(lines.length, 20);
  });

  it("masks secrets, as objects and as texts that were revealed", () => {
    const { lines, log } = kept();
    const key = secret.literal("KEY", "sesame-open");
    Secret.reveal(key);
    log.info("the receiver said sesame-open", { key: String(key), words: "you sent sesame-open" });
    assert.doesNotMatch(lines.join(""), /sesame/);
    assert.match(lines.join(""), /<secret KEY>/);
  });

  it("masks a secret that JSON writes in another way", () => {
    Secret.reveal(secret.literal("KEY", 'open"sesame\\now'));
    for (const format of ["text", "json"] as const) {
      const { lines, log } = kept({ format });
      log.info('it said open"sesame\\now', { words: 'open"sesame\\now, you sent' });
      assert.doesNotMatch(lines.join(""), /sesame/, format);
    }
  });
});
