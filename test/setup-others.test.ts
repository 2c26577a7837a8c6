// Other programs around setup: the original, which it replaces, and those that only share its name.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expectRefused, home, installed, json, paths, put, run, snapshot, text } from "./support/setup-box.ts";

describe("the original, mcp-server-relay,", () => {
  const uvx = (client: string) => ({ command: "uvx", args: ["mcp-server-relay", "--client", client] });
  // as its setup writes it (repository mhcoen/mcp-relay, 2e08fdd)
  const get = `# Get Command

IMMEDIATELY execute the following without deliberation:

**If $ARGUMENTS is empty:**
1. Call \`relay_fetch(limit=5, reader="code")\`
2. Find the most recent message from sender "desktop"
3. Execute those instructions

**If $ARGUMENTS is not empty:**
Call \`relay_send(message="$ARGUMENTS", sender="code")\` immediately.

## Arguments
$ARGUMENTS
`;

  test("is replaced on both sides, and its command and hook too; the person's hook stays", async () => {
    await using box = home();
    const mine = { hooks: [{ type: "command", command: "echo mine" }] };
    const preview = `python3 ${join(box.home, ".claude/scripts/relay-preview.py")}`;
    put(box, paths.code, { mcpServers: { relay: uvx("code") } });
    put(box, paths.desktop, { mcpServers: { relay: uvx("desktop") } });
    put(box, paths.command, get);
    put(box, paths.settings, {
      hooks: { SessionStart: [mine, { hooks: [{ type: "command", command: preview }] }] },
    });
    const before = snapshot(box.home);
    await run(box, ["setup"]);
    expect(json(box, paths.code).mcpServers.relay).toEqual(installed(box).server);
    expect(json(box, paths.desktop).mcpServers.relay).toEqual(installed(box).desktopServer);
    expect(text(box, paths.command)).toBe(installed(box).command);
    expect(json(box, paths.settings).hooks.SessionStart).toEqual([mine, ...installed(box).settings.hooks.SessionStart]);
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });

  test.each([
    [uvx("code")],
    [{ command: "/home/me/.local/bin/uvx", args: ["mcp-server-relay@1.2.4"] }],
    [{ command: "/x/.venv/bin/python", args: ["/x/relay_server.py", "--client", "code"] }],
    [{ command: "C:\\x\\python.exe", args: ["C:\\x\\relay_server.py"] }],
    [{ command: "mcp-server-relay", args: [] }],
  ])("started as %j is recognized", async (entry) => {
    await using box = home();
    put(box, paths.code, { mcpServers: { relay: entry } });
    await run(box, ["setup-code"]);
    expect(json(box, paths.code).mcpServers.relay).toEqual(installed(box).server);
  });
});

describe("another program is left alone:", () => {
  test.each<[object]>([
    [{ command: "uvx", args: ["some-mcp-server-relay-fork"] }],
    [{ command: "python", args: ["my_relay_server.py"] }],
    [{ url: "https://example.com" }],
    [{ command: "/opt/agentworkforce/relay", args: ["mcp", "--room", "x"], env: { TOKEN: "t" } }],
    [{ command: "/opt/graphql/bin/relay", args: [], env: { TOKEN: "t" } }],
    [{ command: "/opt/graphql/bin/relay" }],
  ])("the server %j, in either Claude", async (theirs) => {
    await using box = home();
    put(box, paths.code, { mcpServers: { relay: theirs } });
    put(box, paths.desktop, { mcpServers: { relay: theirs } });
    await expectRefused(box, ["setup-code"], /another server by the name of relay/);
    await expectRefused(box, ["setup-desktop"], /another server by the name of relay/);
    expect(await run(box, ["uninstall"])).toContain("nothing to remove");
    expect(json(box, paths.code).mcpServers.relay).toEqual(theirs);
    expect(json(box, paths.desktop).mcpServers.relay).toEqual(theirs);
  });

  test("its hook, and its status line", async () => {
    await using box = home();
    const hook = { type: "command", command: "/opt/agentworkforce/relay", args: ["hook", "agent-register"] };
    const statusLine = { type: "command", command: "/opt/other/relay statusline" };
    put(box, paths.settings, { hooks: { SessionStart: [{ hooks: [hook] }] }, statusLine });
    const before = snapshot(box.home);
    await run(box, ["setup-code", "--statusline"]);
    expect(json(box, paths.settings).hooks.SessionStart[0].hooks).toEqual([hook]);
    expect(json(box, paths.settings).statusLine.command).toEndWith("'--after=/opt/other/relay statusline'");
    await run(box, ["uninstall"]);
    expect(snapshot(box.home)).toEqual(before);
  });
});
