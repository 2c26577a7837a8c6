import { systemClock } from "../clock.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "./context.ts";

export const command = defineCommand({
  meta: { name: "doctor", description: "Say what is wrong with relay here, and how to mend it" },
  args: {
    repair: { type: "boolean", description: "Rebuild a damaged buffer from what can be read of it" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data }) {
    const { environment, print } = data as Context;
    const path = environment.bufferPath();
    const { repairBuffer } = await import("../buffer/repair.ts");
    const repair = await repairBuffer(path, { clock: systemClock, system: environment.system() });
    const { repairJson, tellRepair } = await import("./repair-report.ts");
    print(args.json ? JSON.stringify(repairJson(path, repair)) : tellRepair(path, repair));
  },
});
