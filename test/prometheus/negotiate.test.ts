import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { acceptsGzip, negotiateFormat } from "../../src/prometheus/negotiate.ts";

const prometheus3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
  "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

describe("negotiateFormat()", () => {
  const table = [
    [prometheus3, "openmetrics"],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5", "text"],
    ["application/openmetrics-text;q=0.2,text/plain;q=0.5", "text"],
    ["application/openmetrics-text;q=0", "text"],
    ["application/openmetrics-text;q=nonsense", "text"],
    ["text/html,*/*;q=0.8", "text"],
    ["", "text"],
    [undefined, "text"],
  ] as const;
  for (const [accept, format] of table) {
    it(`answers ${format} to "${accept}"`, () => assert.equal(negotiateFormat(accept), format));
  }
});

describe("acceptsGzip()", () => {
  const table = [
    ["gzip", true],
    ["br, GZIP;q=0.5", true],
    ["*", true],
    ["gzip;q=0, *", false],
    ["identity", false],
    [undefined, false],
  ] as const;
  for (const [header, accepts] of table) {
    it(`says ${accepts} to "${header}"`, () => assert.equal(acceptsGzip(header), accepts));
  }
});
