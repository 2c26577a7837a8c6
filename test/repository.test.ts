// A project is a git repository: all folders and worktrees of one have its name.
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryName } from "../src/platform/repository.ts";
import { relayBinary, type Sandbox, sandbox } from "./support/sandbox.ts";
import { put } from "./support/setup-box.ts";

function git({ home, env }: Sandbox, ...args: string[]): void {
  const argv = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "protocol.file.allow=always", ...args];
  const { exitCode, stderr } = Bun.spawnSync(argv, { cwd: home, env });
  if (exitCode !== 0) throw new Error(`${stderr}`);
}

test.skipIf(!Bun.which("git"))("as git makes them", async () => {
  await using box = sandbox();
  git(box, "init", "-q", "api");
  git(box, "-C", "api", "commit", "-q", "--allow-empty", "-m", "x");
  git(box, "-C", "api", "worktree", "add", "-q", "../fix");
  git(box, "clone", "-q", "--bare", "api", "bare.git");
  git(box, "-C", "bare.git", "worktree", "add", "-q", "../from-bare");
  git(box, "clone", "-q", "--bare", "api", "hub/.bare");
  git(box, "-C", "hub/.bare", "worktree", "add", "-q", "../from-hidden");
  git(box, "init", "-q", "outer");
  git(box, "-C", "outer", "submodule", "--quiet", "add", "../api", "part");
  mkdirSync(join(box.home, "api/src/deep"), { recursive: true });
  mkdirSync(join(box.home, "alone"));
  const folders = [
    "api",
    "api/src/deep",
    "api/gone",
    "fix",
    "from-bare",
    "hub/from-hidden",
    "outer",
    "outer/part",
    "alone",
  ];
  expect(folders.map((folder) => repositoryName(join(box.home, folder)))).toEqual([
    "api",
    "api",
    "api",
    "api",
    "bare",
    "hub",
    "outer",
    "part",
    "alone",
  ]);
});

test("and whatever a hostile folder holds, the name is that of a folder", async () => {
  await using box = sandbox();
  const texts = [
    "",
    "gitdir: ",
    "gitdir: /",
    "gitdir: ../../worktrees/x",
    "x".repeat(100_000),
    "gitdir: \u0000/worktrees/y",
  ];
  for (const text of texts) {
    put(box, "own/.git", text);
    expect(repositoryName(join(box.home, "own"))).not.toContain("/");
  }
});

test.skipIf(process.platform === "win32")("nor does anything that is no file hold relay up", async () => {
  await using box = sandbox();
  mkdirSync(join(box.home, "own"));
  Bun.spawnSync(["mkfifo", join(box.home, "own/.git")]);
  const env = { ...box.env, CLAUDE_PROJECT_DIR: join(box.home, "own") };
  const argv = [relayBinary, "send", "--to", "desktop", "--json", "x"];
  const { stdout } = Bun.spawnSync(argv, { env, cwd: box.home, stdin: "ignore", timeout: 10_000 });
  expect(JSON.parse(`${stdout}`).project).toBe("own");
});
