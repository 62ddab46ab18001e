import { until } from "../beds/wait.ts";
import { type Act, endless, garbage, hang, reset, resetAmidAnswer, trickle } from "./acts.ts";
import { lackOfOpenssl } from "./certificates.ts";
import { lackOfMounts } from "./namespace.ts";
import { always } from "./receiver.ts";
import { everywhere } from "./receiver-answers.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** Receivers that give no answer that one could read. */
export const receiverTrouble: readonly Scenario[] = [
  troubles("body-without-end", endless),
  troubles("hang", hang({ stores: false })),
  troubles("hang-after-storing", hang({ stores: true })),
  troubles("reset-before", reset("before")),
  troubles("reset-amid", reset("amid")),
  troubles("reset-after", reset("after")),
  troubles("reset-amid-answer", resetAmidAnswer),
  troubles("slow-trickle", trickle),
  troubles("garbage", garbage),
  { name: "receiver-down", trouble: down },
  {
    name: "receiver-wrong-certificate",
    world: { https: true },
    lacking: async () => lackOfOpenssl(),
    trouble: wrongCertificate,
  },
  {
    name: "receiver-name-not-found",
    world: { ownHosts: true },
    lacking: async () => lackOfMounts(),
    trouble: unknownName,
  },
];

function troubles(name: string, act: Act): Scenario {
  return { name: `receiver-${name}`, trouble: (world) => everywhere(world, always(act)) };
}

/** Nothing listens any more, and then again. */
async function down({ receivers, mlmon }: World): Promise<void> {
  const all = Object.values(receivers);
  for (const receiver of all) await receiver.close();
  const failing = async () => (await mlmon.status())?.sinks.filter(({ state }) => state === "retrying").length === 3;
  await until(failing, 60_000, "three sinks to fail");
  for (const receiver of all) await receiver.open();
}

async function wrongCertificate({ receivers: { pramathus }, certificates, mlmon }: World): Promise<void> {
  if (!certificates) throw new Error("This world has no certificates");
  for (const wrong of [certificates.otherHost, certificates.selfSigned]) {
    const from = mlmon.log.length;
    await pramathus.close();
    await pramathus.open(wrong);
    await until(
      () => mlmon.log.slice(from).some((line) => line.includes("TLS:")),
      60_000,
      "mlmon to name the certificate",
    );
  }
  await pramathus.close();
  await pramathus.open(certificates.right);
}

async function unknownName({ hosts, mlmon, receivers: { pramathus } }: World): Promise<void> {
  if (!hosts) throw new Error("This world has no hosts file");
  hosts.know(false);
  // A connection that is open needs no name, and one that works is kept open.
  await pramathus.close();
  await until(() => mlmon.log.some((line) => line.includes("host not found")), 60_000, "mlmon to miss the name");
  await pramathus.open();
  hosts.know(true);
}
