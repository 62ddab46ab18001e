import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Finding } from "../../src/doctor/examine.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";
import { mlmon } from "../commands/mlmon.ts";
import { lackOfOpenssl, makeCertificates } from "../faults/certificates.ts";
import type { Certificate } from "../faults/receiver.ts";

const skip = lackOfOpenssl() ?? false;

/** A receiver that is glad about everything; it counts what comes in. */
async function receiver(certificate: Certificate) {
  let count = 0;
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    count += 1;
    request.resume();
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `https://localhost:${typeof address === "object" ? address?.port : 0}`,
    count: () => count,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("TLS", { skip, timeout: 60_000 }, () => {
  it("is verified by default for MLflow and for every sink, and says what to mend", async () => {
    await using folder = await temporaryFolder();
    const { authority, ...certificates } = await makeCertificates(folder.path);
    const right = await receiver(certificates.right);
    const others = [await receiver(certificates.otherHost), await receiver(certificates.selfSigned)];
    const entries = (what: (url: string, id: string) => string) =>
      [right, ...others].map(({ url }, index) => what(url, ["right", "other", "self"][index] ?? "")).join(",\n");
    await writeFile(
      join(folder.path, "mlmon.config.ts"),
      `import { defineHttpSink, mlflow, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { pushgateway } from "mlmon/plugins/pushgateway";
const own = defineHttpSink("own", v.strictObject({ url: v.string() }), ({ url }) => ({
  render: () => [],
  check: () => ({ method: "GET", url }),
}));
export default {
  sources: [${entries((url, id) => `mlflow({ trackingUri: "${url}", caFile: ${JSON.stringify(authority)} }, { id: "${id}" })`)}],
  sinks: [${entries((url, id) => `pramathus({ endpoint: "${url}", apiKey: "key" }, { id: "pramathus-${id}" })`)},
    ${entries((url, id) => `pushgateway({ endpoint: "${url}" }, { id: "pushgateway-${id}" })`)},
    ${entries((url, id) => `own({ url: "${url}" }, { id: "own-${id}" })`)}],
};`,
    );
    const { stdout, stderr } = await mlmon(["doctor", "--json", "--listen", `127.0.0.1:${await freePort()}`], {
      cwd: folder.path,
      env: { NODE_EXTRA_CA_CERTS: authority, DENO_CERT: authority, NODE_TLS_REJECT_UNAUTHORIZED: "1" },
    });
    right.stop();
    for (const { stop } of others) stop();
    assert.ok(stdout.startsWith("{"), stderr);
    const { findings }: { findings: readonly Finding[] } = JSON.parse(stdout);
    const problem = (what: string) => findings.find((finding) => finding.what === what)?.problems[0];
    for (const sink of ["pramathus", "pushgateway", "own"]) {
      assert.equal(problem(`sink ${sink}-right`), undefined);
      for (const id of ["other", "self"]) {
        const { message = "", mend = "" } = problem(`sink ${sink}-${id}`) ?? {};
        assert.match(message, /^TLS: /);
        assert.match(mend, /NODE_EXTRA_CA_CERTS=FILE/);
      }
      assert.match(problem(`sink ${sink}-other`)?.message ?? "", /for another host name/);
    }
    for (const id of ["other", "self"]) {
      const { message = "", mend = "" } = problem(`source ${id}`) ?? {};
      assert.match(message, /as the certificate is |as the connection could not be secured/);
      assert.match(mend, /trust its authority with caFile/);
    }
    assert.deepEqual(
      others.map(({ count }) => count()),
      [0, 0],
    );
    assert.ok(right.count() > 3);
  });
});
