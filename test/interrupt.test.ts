// A signal ends a command at once, and nothing of it is left. design.md, "Delivery" and "Command line".
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { get, relayBinary, type Sandbox, sandbox, sendAll, until } from "./support/sandbox.ts";
import { blockedPipe } from "./support/server-process.ts";

function start(box: Sandbox, args: string[], stdout: number | "ignore" = "ignore") {
  const child = Bun.spawn([relayBinary, ...args], {
    env: box.env,
    cwd: box.home,
    stdio: ["ignore", stdout, "pipe"],
  });
  box.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  return child;
}

/** Whether the process catches this signal, as far as /proc tells. */
function catches(pid: number, signal: "SIGINT" | "SIGTERM" | "SIGHUP"): boolean {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return true;
  const [, caught] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(path, "utf8")) ?? [];
  return ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

describe.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("on %s", (signal) => {
  test("relay get releases its page, and says that it may have been shown", async () => {
    await using box = sandbox();
    await sendAll(box, "code", ["x".repeat(65_536)]);
    const getting = start(box, ["get", "--for", "code"], blockedPipe(box));
    await until("a lease", async () => (await get(box, "code", "--peek")).elsewhere === 1);
    await until("a page that waits for its reader", () => catches(getting.pid, signal));
    getting.kill(signal);
    expect(await getting.exited).toBe(1);
    expect(await new Response(getting.stderr).text()).toBe(
      "relay: the output was cut off, so these messages may have been shown, and are offered again. Get them once more.\n",
    );
    expect((await get(box, "code")).messages).toMatchObject([{ id: 1, maybe_shown: true }]);
  });

  test("relay demo ends with its two servers, and its folder is gone", async () => {
    await using box = sandbox();
    const demo = start(box, ["demo"]);
    await until("its folder", () => readdirSync(box.home).length > 0);
    demo.kill(signal);
    await demo.exited;
    expect(demo.signalCode).toBe(signal);
    expect(await new Response(demo.stderr).text()).toBe(""); // which ends when its servers do
    expect(readdirSync(box.home)).toEqual([]);
  });
});
