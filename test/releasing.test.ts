// npm run bump, release-notes and release: their changes and refusals.
import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { notesFor, released } from "../build/changelog.ts";
import { assetsIn } from "../build/checksums.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

const root = join(import.meta.dir, "..");
const read = (...path: string[]) => readFileSync(join(...path), "utf8");

describe("the changelog", () => {
  const before = "# Changelog\n\nWords.\n\n## Unreleased\n\n- New.\n\n## 1.0.0, 2026-01-01\n\n- First.\n";

  test("gets a section", () => {
    const after = before.replace("## Unreleased", "## Unreleased\n\n## 1.1.0, 2026-02-03");
    expect(released(before, "1.1.0", "2026-02-03")).toBe(after);
    expect(notesFor(after, "1.1.0")).toBe("- New.");
    expect(notesFor(after, "1.0.0")).toBe("- First.");
    const sentence = "the section Unreleased of CHANGELOG.md is empty";
    expect(() => released(after, "1.2.0", "2026-02-04")).toThrow(sentence);
  });

  test.each([
    ["1.0.0", before, "CHANGELOG.md has a section 1.0.0 already."],
    ["1.1.0", "# Changelog\n", 'CHANGELOG.md has no section "Unreleased".'],
  ])("gets no section %s", (version, text, sentence) => {
    expect(() => released(text, version, "2026-02-03")).toThrow(sentence);
  });

  test.each(["1.0", "1.0.01", "1.1.0", "0.0"])("has no notes for %s", (version) => {
    expect(() => notesFor(before, version)).toThrow(`CHANGELOG.md has no section ${version}.`);
  });
});

/** A checkout of everything that a release needs before it compiles. */
function checkout(box: Sandbox): { folder: string; bun(...argv: string[]): ReturnType<Sandbox["run"]> } {
  const folder = join(box.home, "checkout");
  mkdirSync(folder);
  for (const name of ["build", "package.json", "package-lock.json", "CHANGELOG.md"])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return { folder, bun: (...argv) => box.run([process.execPath, ...argv], { cwd: folder }) };
}

describe("npm run bump", () => {
  test("sets the version everywhere, and changes nothing else", async () => {
    await using box = sandbox();
    const { folder, bun } = checkout(box);
    expect(await bun("build/bump.ts", "99.0.0")).toMatchObject({ status: 0 });
    for (const name of ["package.json", "package-lock.json", "build/plugin/.claude-plugin/plugin.json"]) {
      const old = read(root, name).split("\n");
      const changed = read(folder, name)
        .split("\n")
        .filter((line, index) => line !== old[index]);
      const count = name === "package-lock.json" ? 2 : 1;
      expect(changed.map((line) => line.trim())).toEqual(Array(count).fill('"version": "99.0.0",'));
    }
    expect(read(folder, "CHANGELOG.md")).toContain("\n## 99.0.0, ");
    const notes = await bun("build/release-notes.ts");
    expect(notes).toMatchObject({ status: 0, stdout: expect.stringMatching(/^- /) });
  });

  test.each([
    [[], "bump: the version is missing;"],
    [["1.2"], "bump: the version is 1.2; it must be three numbers."],
    [["v1.2.3"], "bump: the version is v1.2.3;"],
    [["0.0.1"], "bump: 0.0.1 is older than"],
  ])("%j is refused", async (args, sentence) => {
    await using box = sandbox();
    const { folder, bun } = checkout(box);
    const before = await assetsIn(join(folder, "build"));
    const stderr = expect.stringContaining(sentence) as never;
    expect(await bun("build/bump.ts", ...args)).toEqual({ status: 1, stdout: "", stderr });
    expect(await assetsIn(join(folder, "build"))).toEqual(before);
  });
});

describe.skipIf(process.platform !== "linux")("a release stops, and leaves no dist, if", () => {
  // in the place of npm: it "packs" runtimes that are not those of package-lock.json
  const forger = `#!/bin/sh
for word; do case "$word" in
  /*) folder=$word ;;
  @oven/*) name=\${word%@*}; printf forged > "$folder/\${name#@oven/}.tgz"
    printf '%s{"name":"%s","filename":"%s.tgz"}' "\${comma:=[}" "$name" "\${name#@oven/}"; comma=, ;;
esac; done
echo ]
`;
  const offline = "#!/bin/sh\necho 'npm error network' >&2\nexit 1\n";

  test.each([
    ["a runtime is not the one that is locked", forger, [], "is not the one in package-lock.json"],
    ["npm cannot get the runtimes", offline, [], "runtimes for other systems: npm error network."],
    ["an option is unknown", offline, ["--fast"], "--fast"],
  ])("%s", async (_name, npm, args, sentence) => {
    await using box = sandbox();
    const { folder, bun } = checkout(box);
    mkdirSync(join(folder, "dist"));
    writeFileSync(join(folder, "dist/SHA256SUMS"), "of an earlier release");
    writeFileSync(join(box.programs, "npm"), npm, { mode: 0o755 });
    const { status, stderr } = await bun("build/release.ts", "--base-url=http://127.0.0.1:1", ...args);
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(join(folder, "dist"))).toBe(args.includes("--fast"));
  });
});
