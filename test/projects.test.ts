// "Every project has its own mail", with the real Claude Code in two repositories and a worktree. `npm run lab` installs it.
import { describe, expect, test } from "bun:test";
import { type ClaudeLab, hasTerminal, openLab, relayTool } from "./support/claude-lab.ts";
import { get, type Sandbox, sandbox, until } from "./support/sandbox.ts";

const relay_send = relayTool("setup", "relay_send");
const relay_fetch = relayTool("setup", "relay_fetch");
const hello = "Hello, are you there";

/** The texts on the last page that the model was shown. */
function lastPage({ api }: ClaudeLab): string[] {
  const pages = JSON.stringify(api.shown.at(-1)?.messages).split("Between the lines marked ");
  return [...(pages.at(-1) ?? "").matchAll(/ message \d+, desktop,[^\n]*?\)?\\n(.*?)\\n--- /g)].map(
    ([, text = ""]) => text,
  );
}

async function sendTo(box: Sandbox, project: string | null, text: string): Promise<string> {
  const to = project === null ? [] : ["--project", project];
  return (await box.relay(["send", "--to", "code", ...to, text])).stdout;
}

/** Two repositories in the home folder, one with a worktree. */
function makeRepositories({ home, env }: Sandbox): void {
  const git = (...args: string[]) =>
    Bun.spawnSync(["git", "-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: home, env });
  for (const name of ["api-server", "web"]) git("init", "-q", name);
  git("-C", "api-server", "commit", "-q", "--allow-empty", "-m", "x");
  git("-C", "api-server", "worktree", "add", "-q", "../fix-login");
}

describe.skipIf(!hasTerminal || !Bun.which("git"))("with two projects in Claude Code", () => {
  test("a session gets what is for its project or for none, and says what waits for others", async () => {
    await using box = sandbox();
    const answers = ["one", "two", "three"].map((word) => ({ text: `answer ${word}` }));
    const replies = [{ call: { name: relay_send, input: { message: "built" } } }, ...answers];
    const lab = openLab(box, { replies, prompt: hello, folder: "api-server" });
    makeRepositories(box);
    expect(await sendTo(box, "Api-Server", "for the server")).toContain("No session of project Api-Server was seen");
    await sendTo(box, "web", "for the page");
    await sendTo(box, null, "for anybody");
    const session = await lab.terminal();
    await session.shows("relay: 2 messages from Desktop, 1 for web. Type /get to read them.");
    await session.shows(/2 from Desktop, 1 for web/);
    await session.enter(hello);
    await session.shows("answer one");
    expect((await get(box, "desktop")).messages).toMatchObject([{ message: "built", project: "api-server" }]);
    await session.enter("/get");
    await session.shows("answer two");
    expect(session.screen()).toContain('Messages for other projects wait (1 for "web"). /get all brings them.');
    expect(lastPage(lab)).toEqual(["for the server", "for anybody"]);
    await session.enter("/get");
    await session.shows(
      /nothing new from Desktop\. Messages for other projects wait \(1 for "web"\)\. \/get all brings/,
    );
    expect(await sendTo(box, "api-server", "seen now")).not.toContain("No session");
    await session.enter("/get all");
    await session.shows("answer three");
    expect(lastPage(lab)).toEqual(["for the page", "seen now"]);
  }, 120_000);

  test("mail for a project reaches its worktrees, and what was cleared or resumed", async () => {
    await using box = sandbox();
    const replies = ["one", "two", "three", "four"].map((word) => ({ text: `answer ${word}` }));
    const lab = openLab(box, { replies, prompt: "", folder: "api-server", others: ["fix-login", "web"] });
    makeRepositories(box);
    for (const project of ["api-server", "web"]) await sendTo(box, project, `first for ${project}`);
    const worktree = await lab.terminal([], "fix-login");
    await worktree.enter("/get");
    await worktree.shows("answer one");
    expect(lastPage(lab)).toEqual(["first for api-server"]);
    await worktree.enter("/clear");
    await until("a clear screen", () => !worktree.screen().includes("answer one"), 30_000);
    await sendTo(box, "api-server", "after clear");
    await worktree.enter("/get");
    await worktree.shows("answer two");
    expect(lastPage(lab)).toEqual(["after clear"]);
    await sendTo(box, "api-server", "while nobody was there");
    await worktree.enter("/exit");
    const resumed = await lab.terminal(["--continue"], "fix-login");
    const second = await lab.terminal();
    await resumed.enter("/get");
    await resumed.shows("answer three");
    expect(lastPage(lab)).toEqual(["while nobody was there"]);
    await second.enter("/get");
    await second.shows(/nothing new from Desktop\. Messages for other projects wait \(1 for "web"\)/);
    const other = await lab.terminal([], "web");
    await other.enter("/get");
    await other.shows("answer four");
    expect(lastPage(lab)).toEqual(["first for web"]);
  }, 120_000);

  test("relay_fetch brings the same, and everything for project *, each after the person's yes", async () => {
    await using box = sandbox();
    const calls = [{}, { project: "*" }].map((input) => ({ call: { name: relay_fetch, input } }));
    const replies = calls.flatMap((call, n) => [call, { text: `answer ${n}` }]);
    const lab = openLab(box, { replies, prompt: "", folder: "api-server" });
    for (const project of ["api-server", "web"]) await sendTo(box, project, `for ${project}`);
    const session = await lab.terminal();
    for (const [n, text] of ["for api-server", "for web"].entries()) {
      await session.enter("get");
      await session.yes();
      await session.shows(`answer ${n}`);
      expect(lastPage(lab)).toEqual([text]);
    }
    expect(lab.api.everything()).toContain('wait (1 for \\"web\\"). relay_fetch with project \\"*\\" brings them.');
  });
});
