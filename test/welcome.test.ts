// The first setup on a terminal shows that relay works.
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { get, relayBinary, type Sandbox, sendAll } from "./support/sandbox.ts";
import { home } from "./support/setup.ts";

async function setupOnTerminal(box: Sandbox, env: Record<string, string> = {}): Promise<string> {
  const argv = ["script", "-qefc", `${relayBinary} setup`, "/dev/null"];
  const { stdout } = await box.run(argv, { stdin: "", env: { TERM: "xterm", ...env } });
  return stdout.replaceAll("\r", "");
}

describe.skipIf(!Bun.which("script"))("setup on a terminal", () => {
  test.skipIf(!canNotify)("ends with a notification and a message on each side, the first time", async () => {
    await using box = home({ desktop: true });
    const session = await desktopSession(box);
    expect(await setupOnTerminal(box, session.env)).toContain(
      "a welcome message waits in Desktop and in Code, and you should have seen a notification of it just now. Nothing appeared?",
    );
    const titles = session.shown().map(({ summary }) => summary);
    expect(titles.sort()).toEqual(["For Code, from Desktop", "For Desktop, from Code"]);
    for (const reader of ["code", "desktop"] as const)
      expect((await get(box, reader, "--peek")).messages).toHaveLength(1);
    expect(await setupOnTerminal(box, session.env)).toEndWith("nothing to change.\n");
    expect((await get(box, "code", "--peek")).messages).toHaveLength(1);
  });

  test("drops no message that waits already", async () => {
    await using box = home();
    await sendAll(
      box,
      "code",
      Array.from({ length: 20 }, (_, index) => `message ${index}`),
    );
    expect(await setupOnTerminal(box)).not.toContain("welcome");
    expect((await get(box, "code", "--peek")).messages).toHaveLength(20);
  });

  test("says so if no notification can be shown", async () => {
    await using box = home();
    writeFileSync(join(box.programs, "notify-send"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    expect(await setupOnTerminal(box)).toContain(
      "no notification could be shown. Nothing appeared? Run: relay doctor --notify",
    );
    expect(await setupOnTerminal(box, { RELAY_NOTIFY: "off" })).toContain("nothing to change");
  });
});
