// What a release consists of besides its binaries, and how one stops.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { archiveNames, packBinaries } from "../build/archives.ts";
import { readBaseUrl } from "../build/base-url.ts";
import { notesFor, released } from "../build/changelog.ts";
import { assetsIn, checksums } from "../build/checksums.ts";
import { homebrewFormula } from "../build/homebrew.ts";
import type { Publication } from "../build/manifests.ts";
import { scoopManifest } from "../build/scoop.ts";
import { serverJson } from "../build/server-json.ts";
import { binaryName, targets } from "../build/targets.ts";
import { type Sandbox, sandbox } from "./support/sandbox.ts";

const root = join(import.meta.dir, "..");

describe("--base-url", () => {
  const github = "https://github.com/somebody/relay/releases/download/v1.2.3";
  const good: [value: string, address: Partial<ReturnType<typeof readBaseUrl>>][] = [
    [
      `${github}//`,
      {
        baseUrl: github,
        homepage: "https://github.com/somebody/relay",
        repository: "https://github.com/somebody/relay",
        namespace: "io.github.somebody",
      },
    ],
    [
      "https://dl.example.org:8443/a~b/1.0",
      {
        baseUrl: "https://dl.example.org:8443/a~b/1.0",
        homepage: "https://dl.example.org:8443/a~b/1.0",
        repository: null,
        namespace: "org.example.dl",
      },
    ],
    ["http://127.0.0.1:8000", { baseUrl: "http://127.0.0.1:8000" }],
    ["http://localhost:8000/x", { baseUrl: "http://localhost:8000/x", namespace: "localhost" }],
  ];
  test.each(good)("%s", (value, address) => {
    expect(readBaseUrl(value)).toMatchObject(address);
  });

  test.each([
    [undefined, "--base-url is missing."],
    ["", "--base-url is missing."],
    ["example.org", "it is no plain address"],
    ["http://example.org/x", "it is not https"],
    ["ftp://example.org/x", "it is not https"],
    ["https://example.org/x?y=1", "it is no plain address"],
    ["https://user:secret@example.org/x", "it is no plain address"],
    ["https://example.org/$(reboot)", "it is no plain address"],
    ["https://example.org/'x", "it is no plain address"],
    ['https://example.org/"x', "it is no plain address"],
    ["https://example.org/`x`", "it is no plain address"],
    ["https://example.org/a b", "it is no plain address"],
    ["https://example.org/a\nb", "it is no plain address"],
  ])("%j is refused", (value, sentence) => {
    expect(() => readBaseUrl(value)).toThrow(sentence);
  });
});

/** Files of little content with the names of the binaries, made at some time. */
function smallBinaries(box: Sandbox, name: string, time: Date): string {
  const folder = join(box.home, name);
  mkdirSync(folder);
  for (const target of targets) {
    const path = join(folder, binaryName(target));
    writeFileSync(path, `${target.name} `.repeat(10_000), { mode: 0o755 });
    utimesSync(path, time, time);
  }
  return folder;
}

describe("the archives", () => {
  const unpackers: [suffix: string, argv: string[]][] = [
    [".xz", ["xz", "-dc"]],
    [".gz", ["gzip", "-dc"]],
    [".zip", ["python3", "-c", zipReader]],
  ];

  test("hold the binaries", async () => {
    await using box = sandbox();
    const folder = smallBinaries(box, "one", new Date());
    await packBinaries(targets, folder);
    const names = targets.flatMap((target) => [binaryName(target), ...archiveNames(target)]);
    expect(readdirSync(folder).sort()).toEqual(names.sort());
    for (const target of targets) {
      for (const name of archiveNames(target)) {
        const [, argv = []] = unpackers.find(([suffix]) => name.endsWith(suffix)) ?? [];
        const { stdout, stderr } = await box.run([...argv, join(folder, name)]);
        const content = readFileSync(join(folder, binaryName(target)), "utf8");
        const inside = name.endsWith(".zip") ? `relay.exe\n${content}` : content;
        expect({ name, same: stdout === inside, stderr }).toEqual({ name, same: true, stderr: "" });
      }
    }
  });

  test("are the same wherever and whenever they are made", async () => {
    await using box = sandbox();
    const folders = [
      smallBinaries(box, "one", new Date(2001, 1, 1)),
      smallBinaries(box, "two", new Date(2031, 1, 1)),
    ];
    for (const folder of folders) await packBinaries(targets, folder);
    const [one = [], two = []] = await Promise.all(folders.map(assetsIn));
    expect(one).toHaveLength(22);
    expect(one).toEqual(two);
  });
});

// names the only file of an archive whose sums are right, and prints what is in it
const zipReader = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    [name] = archive.namelist()
    sys.stdout.write(name + chr(10) + archive.read(name).decode())
`;

test("the sums are those of every file, and sha256sum agrees", async () => {
  await using box = sandbox();
  const folder = join(box.home, "files");
  mkdirSync(join(folder, "below"), { recursive: true });
  for (const name of ["b", "a", "B", "below/c"]) writeFileSync(join(folder, name), `content of ${name}`);
  const assets = await assetsIn(folder);
  expect(assets.map(({ name }) => name)).toEqual(["B", "a", "b", "below/c"]);
  writeFileSync(join(folder, "SHA256SUMS"), checksums(assets));
  const argv = ["sha256sum", "--check", "--strict", "SHA256SUMS"];
  expect(await box.run(argv, { cwd: folder })).toMatchObject({ status: 0 });
  writeFileSync(join(folder, "a"), "something else");
  expect(await box.run(argv, { cwd: folder })).toMatchObject({ status: 1 });
});

describe("a manifest", () => {
  const bundles = ["relay-macos.mcpb", "relay-windows.mcpb", "relay-linux.mcpb"];
  const made = [...targets.flatMap(archiveNames), ...bundles];
  const { description, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const publication: Publication = {
    version: "1.2.3",
    description,
    license,
    address: readBaseUrl("https://github.com/somebody/relay/releases/download/v1.2.3"),
    assets: made.map((name) => ({ name, sha256: createHash("sha256").update(name).digest("hex") })),
  };
  const manifests: [name: string, make: (publication: Publication) => string][] = [
    ["server.json", serverJson],
    ["relay.json", scoopManifest],
    ["relay.rb", homebrewFormula],
  ];

  test.each(manifests)("%s", (_name, make) => {
    expect(make(publication)).toMatchSnapshot();
  });

  test.each(manifests)("%s names nothing that was not made", (_name, make) => {
    expect(() => make({ ...publication, assets: [] })).toThrow(/^relay-.* was not made\.$/);
  });

  test("of the MCP registry has a description that it takes, of 100 characters at the most", () => {
    expect(JSON.parse(serverJson(publication)).description.length).toBeLessThanOrEqual(100);
  });

  test.skipIf(!Bun.which("ruby"))("of Homebrew is Ruby", async () => {
    await using box = sandbox();
    const checked = await box.run(["ruby", "-wc", "-"], { stdin: homebrewFormula(publication) });
    expect(checked).toEqual({ status: 0, stdout: "Syntax OK\n", stderr: "" });
  });
});

describe("the changelog", () => {
  const before = "# Changelog\n\nWords.\n\n## Unreleased\n\n- New.\n\n## 1.0.0, 2026-01-01\n\n- First.\n";

  test("gets a section", () => {
    const after =
      "# Changelog\n\nWords.\n\n## Unreleased\n\n## 1.1.0, 2026-02-03\n\n- New.\n\n## 1.0.0, 2026-01-01\n\n- First.\n";
    expect(released(before, "1.1.0", "2026-02-03")).toBe(after);
    expect(notesFor(after, "1.1.0")).toBe("- New.");
    expect(notesFor(after, "1.0.0")).toBe("- First.");
    expect(() => released(after, "1.2.0", "2026-02-04")).toThrow(
      "the section Unreleased of CHANGELOG.md is empty",
    );
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

/** A checkout of what a release needs before it compiles anything. */
function checkout(box: Sandbox): string {
  const folder = join(box.home, "checkout");
  mkdirSync(folder);
  for (const name of ["build", "package.json", "package-lock.json", "CHANGELOG.md"])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

const bun = process.execPath;

describe("npm run bump", () => {
  test("sets the version everywhere, and changes nothing else", async () => {
    await using box = sandbox();
    const folder = checkout(box);
    expect(await box.run([bun, "build/bump.ts", "99.0.0"], { cwd: folder })).toMatchObject({ status: 0 });
    for (const name of ["package.json", "package-lock.json", "build/plugin/.claude-plugin/plugin.json"]) {
      const [old = "", now = ""] = [root, folder].map((place) => readFileSync(join(place, name), "utf8"));
      const lines = now.split("\n").filter((line, index) => line !== old.split("\n")[index]);
      const count = name === "package-lock.json" ? 2 : 1;
      expect(lines.map((line) => line.trim())).toEqual(Array(count).fill('"version": "99.0.0",'));
    }
    const notes = await box.run([bun, "build/release-notes.ts"], { cwd: folder });
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(notes).toMatchObject({ status: 0, stdout: expect.stringMatching(/^- /) });
    expect(readFileSync(join(folder, "CHANGELOG.md"), "utf8")).toContain("\n## 99.0.0, ");
    expect(version).not.toBe("99.0.0");
  });

  test.each([
    [[], "bump: the version is missing;"],
    [["1.2"], "bump: the version is 1.2; it must be three numbers."],
    [["v1.2.3"], "bump: the version is v1.2.3;"],
    [["0.0.1"], "bump: 0.0.1 is older than"],
  ])("%j is refused", async (args, sentence) => {
    await using box = sandbox();
    const folder = checkout(box);
    const before = await assetsIn(join(folder, "build"));
    const refused = await box.run([bun, "build/bump.ts", ...args], { cwd: folder });
    expect(refused).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining(sentence) });
    expect(await assetsIn(join(folder, "build"))).toEqual(before);
  });
});

describe("a release stops, and leaves no dist, if", () => {
  // in the place of npm: it "packs" runtimes that are not what package-lock.json says
  const forger = `#!/bin/sh
for word; do case "$word" in
  /*) folder=$word ;;
  @oven/*) name=\${word%@*}; printf forged > "$folder/\${name#@oven/}.tgz"
    printf '%s{"name":"%s","filename":"%s.tgz"}' "\${comma:=[}" "$name" "\${name#@oven/}"; comma=, ;;
esac; done
echo ]
`;
  const offline = "#!/bin/sh\necho 'npm error network' >&2\nexit 1\n";
  const here = "http://127.0.0.1:1";

  test.each([
    [
      "a runtime is not the one that is locked",
      forger,
      [`--base-url=${here}`],
      "is not what package-lock.json says",
    ],
    [
      "the runtimes cannot be had",
      offline,
      [`--base-url=${here}`],
      "cannot be had: npm ended with 1: npm error network.",
    ],
    ["an option is unknown", offline, [`--base-url=${here}`, "--fast"], "--fast"],
  ])("%s", async (_name, npm, args, sentence) => {
    await using box = sandbox();
    const folder = checkout(box);
    mkdirSync(join(folder, "dist"));
    writeFileSync(join(folder, "dist/SHA256SUMS"), "of an earlier release");
    writeFileSync(join(box.programs, "npm"), npm, { mode: 0o755 });
    const { status, stderr } = await box.run([bun, "build/release.ts", ...args], { cwd: folder });
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(join(folder, "dist"))).toBe(args.includes("--fast"));
  });
});
