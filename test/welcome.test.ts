// The first setup on a terminal shows that relay works.
import { describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canNotify, desktopSession } from "./support/desktop-session.ts";
import { get, relayBinary, type Sandbox, sendAll } from "./support/sandbox.ts";
import { home, json, paths, put } from "./support/setup-box.ts";

async function setupOnTerminal(box: Sandbox, env: Record<string, string> = {}, answer = ""): Promise<string> {
  const argv = ["script", "-qefc", `${relayBinary} setup`, "/dev/null"];
  const options = { stdin: answer, env: { TERM: "xterm", COLUMNS: "200", NO_COLOR: "1", ...env } };
  return (await box.run(argv, options)).stdout.replaceAll("\r", "");
}

describe.skipIf(!Bun.which("script"))("setup on a terminal", () => {
  test.skipIf(!canNotify)("ends with a notification and a message on each side, the first time", async () => {
    await using box = home({ desktop: true });
    const session = await desktopSession(box);
    expect(await setupOnTerminal(box, session.env)).toContain(
      "  + a welcome message waits in Desktop and in Code\n  + you should have seen a notification just now;",
    );
    const titles = session.shown().map(({ summary }) => summary);
    expect(titles.sort()).toEqual(["For Code, from Desktop", "For Desktop, from Code"]);
    for (const reader of ["code", "desktop"] as const)
      expect((await get(box, reader, "--peek")).messages).toHaveLength(1);
    expect(await setupOnTerminal(box, session.env)).toContain("nothing to change.\n");
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
    writeFileSync(join(box.programs, "notify-send"), "#!/bin/sh\necho 'no bus here' >&2; exit 1\n", { mode: 0o755 });
    expect(await setupOnTerminal(box)).toContain("  ! no notification could be shown: ");
    expect(await setupOnTerminal(box, { RELAY_NOTIFY: "off" })).toContain("nothing to change");
  });

  const own = { type: "command", command: "date" };
  test.each<[string, string, object | undefined, string, RegExp | undefined]>([
    ["Enter adds a status line", "\n", undefined, "Show what waits", /statusline --db \S+$/],
    ["n does not", "n\n", undefined, "Show what waits", undefined],
    ["neither does the end of the input", "", undefined, "Show what waits", undefined],
    ["Enter keeps the person's own, and adds relay's", "\n", own, "Keep your status line", / --after=date$/],
    ["n keeps it as it is", "n\n", own, "Keep your status line", /^date$/],
  ])("%s", async (_name, answer, statusLine, question, command) => {
    await using box = home();
    put(box, paths.settings, { statusLine });
    const env = { RELAY_NOTIFY: "off" };
    expect(await setupOnTerminal(box, env, answer)).toContain(question);
    const line = json(box, paths.settings).statusLine?.command;
    expect(line).toEqual(command && expect.stringMatching(command));
    expect((await setupOnTerminal(box, env, "n\n")).includes("[Y/n]")).toBe(!line?.includes("--db"));
  });

  test.each([
    ["a yes lets Desktop's model send files from Downloads", "y\n", ["Downloads"]],
    ["Enter does not", "\n", ["off"]],
  ])("%s, and it is asked once", async (_name, answer, allowed) => {
    await using box = home({ desktop: true });
    rmSync(join(box.programs, "claude")); // which has a question of its own
    mkdirSync(join(box.home, "Downloads"));
    const env = { RELAY_NOTIFY: "off" };
    expect(await setupOnTerminal(box, env, answer)).toContain("from your Downloads folder? [y/N] ");
    const { args } = json(box, paths.desktop).mcpServers.relay;
    const folders = allowed.map((name) => (name === "off" ? name : join(box.home, name)));
    expect(args).toEqual(["--client", "desktop", "--allow-files", ...folders, "--db", box.buffer]);
    expect(await setupOnTerminal(box, env, answer)).not.toContain("[y/N]");
  });
});
