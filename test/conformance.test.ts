// The official conformance suite for MCP servers, and the Inspector.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startBridge } from "./support/bridge.ts";
import { connect, textsOf } from "./support/peer.ts";
import { type Outcome, relayBinary, type Sandbox, sandbox } from "./support/sandbox.ts";

const packages = join(import.meta.dir, "../.lab/node_modules/@modelcontextprotocol");
const suite = join(packages, "conformance/dist/index.js");
const inspector = join(packages, "inspector/clients/launcher/build/index.js");

// The newest that relay speaks. What the suite has for 2026-07-28 alone asks for a session without a handshake, and for
// answers with which a server asks back: the SDK has neither, and relay asks nothing. Its extensions, tasks and skills,
// relay does not have.
const revision = "2025-11-25";

/** Scenarios that say something about any server. */
const meaningful = ["server-initialize", "ping", "tools-list", "prompts-list"];

/** Scenarios for fixtures of the suite's own, or for capabilities that relay lacks: it refuses them, as MCP asks. */
const refused = /^(tools-call-|prompts-get-|json-schema-2020-12|elicitation-|logging-|completion-|resources-)/;

/** HTTP, which relay does not speak: they would judge the bridge. */
const overHttp = /^(server-sse-|server-session-|dns-)/;

async function scenariosOf(box: Sandbox): Promise<string[]> {
  const { stdout } = await box.run([process.execPath, "--bun", suite, "list", "--server"]);
  return [...Bun.stripANSI(stdout).matchAll(/^ +- (\S+) \[(.*)\]$/gm)]
    .filter(([, , revisions = ""]) => revisions.split(",").includes(revision))
    .map(([, name = ""]) => name);
}

async function judge(box: Sandbox, url: string, scenario: string): Promise<Outcome> {
  const args = ["server", "--url", url, "--scenario", scenario, "--spec-version", revision];
  const judged = await box.run([process.execPath, "--bun", suite, ...args], { env: { NO_COLOR: "1" } });
  return { ...judged, stdout: Bun.stripANSI(judged.stdout) };
}

/** The checks of a scenario, and their results. */
function checksOf(output: string): Record<string, string> {
  const found = output.matchAll(/^\S+Z \[([\w-]+) *\] (\w+)/gm);
  return Object.fromEntries([...found].map(([, check = "", result = ""]) => [check, result]));
}

describe.skipIf(!existsSync(suite))("the official conformance suite", () => {
  test.each(["code", "desktop"])("finds nothing wrong with a server of %s", async (client) => {
    await using box = sandbox();
    const url = await startBridge(box, ["--client", client]);
    for (const scenario of meaningful) {
      const judged = await judge(box, url, scenario);
      const checks = checksOf(judged.stdout);
      expect([scenario, checks, judged.status]).toMatchObject([scenario, { "wire-schema-valid": "SUCCESS" }, 0]);
      expect(new Set(Object.values(checks))).toEqual(new Set(["SUCCESS"]));
      expect(Object.keys(checks).length).toBeGreaterThan(1);
    }
  });

  test("finds the refusals of what relay does not have well formed", async () => {
    await using box = sandbox();
    const url = await startBridge(box, ["--client", "code"]);
    const all = (await scenariosOf(box)).filter((name) => refused.test(name));
    expect(all.length).toBeGreaterThan(20);
    const scenarios = [...new Map(all.map((name) => [name.split("-")[0], name])).values()]; // one of each kind
    const judged = await Promise.all(scenarios.map((name) => judge(box, url, name)));
    for (const [place, { stdout }] of judged.entries())
      expect([scenarios[place], checksOf(stdout)["wire-schema-valid"]]).toEqual([scenarios[place], "SUCCESS"]);
  });

  test("has no other scenarios for a server over stdio", async () => {
    await using box = sandbox();
    const rest = (await scenariosOf(box)).filter((name) => !refused.test(name) && !overHttp.test(name));
    expect(rest.sort()).toEqual([...meaningful].sort());
  });
});

async function inspect(box: Sandbox, client: string, method: string, ...args: string[]): Promise<Outcome> {
  const server = [relayBinary, "--client", client];
  return box.run([process.execPath, "--bun", inspector, "--cli", ...server, "--method", method, ...args]);
}

describe.skipIf(!existsSync(inspector))("the Inspector's command line", () => {
  const firstText = ({ stdout }: Outcome): string => JSON.parse(stdout).content[0].text;

  test("sees the tools that the SDK's client sees, with no warning", async () => {
    await using box = sandbox();
    const { client } = await connect(box, { args: ["--client", "code"] });
    const seen = await inspect(box, "code", "tools/list", "--strict");
    expect(seen).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(seen.stdout).tools).toEqual((await client.listTools()).tools);
  });

  test("sends, and fetches once what another client sent", async () => {
    await using box = sandbox();
    const text = "ünïcode = ✓";
    const call = (client: string, tool: string, ...args: string[]) =>
      inspect(box, client, "tools/call", "--tool-name", tool, ...args);
    const sent = await call("desktop", "relay_send", "--tool-arg", `message=${text}`);
    expect(JSON.parse(firstText(sent))).toMatchObject({ ok: true, id: 1, unread: 1 });
    expect(textsOf(firstText(await call("code", "relay_fetch", "--tool-arg", "limit=3")))).toEqual([text]);
    expect(firstText(await call("code", "relay_fetch"))).toBe("relay: nothing new from Desktop.");
    const refused = await call("desktop", "relay_send", "--tool-arg", "message=x", "sender=code");
    expect(JSON.parse(refused.stdout)).toMatchObject({ isError: true });
    expect(firstText(refused)).toContain("this is Desktop, not Code");
  });

  test("finds one prompt, which does what a fetch does, and no resources", async () => {
    await using box = sandbox();
    const listed = await inspect(box, "desktop", "prompts/list");
    expect(JSON.parse(listed.stdout).prompts).toMatchObject([{ name: "get" }]);
    const got = await inspect(box, "desktop", "prompts/get", "--prompt-name", "get");
    expect(JSON.parse(got.stdout).messages).toMatchObject([
      { role: "user", content: { text: "relay: nothing new from Code." } },
    ]);
    expect(JSON.parse((await inspect(box, "desktop", "resources/list")).stdout)).toEqual({ resources: [] });
  });
});
