// The files of a release besides its binaries.
import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveNames, packBinaries } from "../build/archives.ts";
import { readBaseUrl } from "../build/base-url.ts";
import { bundleManifest, bundleSystems } from "../build/bundle-manifest.ts";
import { assetsIn, checksums } from "../build/checksums.ts";
import { stampInstallers } from "../build/install-scripts.ts";
import { homebrewFormula, type Publication, registryEntry, scoopManifest } from "../build/package-managers.ts";
import { binaryName, targets } from "../build/targets.ts";
import manifest from "../package.json" with { type: "json" };
import { type Sandbox, sandbox } from "./support/sandbox.ts";

const root = join(import.meta.dir, "..");
const read = (...path: string[]) => readFileSync(join(...path), "utf8");

describe("--base-url", () => {
  const github = "https://github.com/somebody/relay/releases/download/v1.2.3";
  const repository = "https://github.com/somebody/relay";
  const other = "https://dl.example.org:8443/a~b/1.0";
  test.each([
    [`${github}//`, { baseUrl: github, homepage: repository, repository, namespace: "io.github.somebody" }],
    [other, { baseUrl: other, homepage: other, repository: null, namespace: "org.example.dl" }],
    ["http://127.0.0.1:8000", { baseUrl: "http://127.0.0.1:8000" }],
    ["http://localhost:8000/x", { baseUrl: "http://localhost:8000/x", namespace: "localhost" }],
  ])("%s", (value, address) => {
    expect(readBaseUrl(value)).toMatchObject(address);
  });

  test.each([
    [undefined, "--base-url is missing."],
    ["", "--base-url is missing."],
    ["http://example.org/x", "it is not https"],
    ["ftp://example.org/x", "it is not https"],
    ...["example.org", "https://example.org/x?y=1", "https://user:secret@example.org/x"].map(plain),
    ...["$(reboot)", "'x", '"x', "`x`", "a b", "a\nb"].map((path) => plain(`https://example.org/${path}`)),
  ])("%j is refused", (value, sentence) => {
    expect(() => readBaseUrl(value)).toThrow(sentence);
  });

  function plain(value: string): [string, string] {
    return [value, "it is not a plain address"];
  }
});

describe("the archives", () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  /** Packs small files with the names of the binaries, made and packed in some year and time zone. */
  async function packSmall(box: Sandbox, TZ: string, year: number): Promise<string> {
    process.env.TZ = TZ;
    const [folder, time] = [join(box.home, `${year}`), new Date(year, 1, 1)];
    mkdirSync(folder);
    for (const target of targets) {
      const path = join(folder, binaryName(target));
      writeFileSync(path, `${target.name} `.repeat(10_000), { mode: 0o755 });
      utimesSync(path, time, time);
    }
    await packBinaries(targets, folder);
    return folder;
  }

  const unpackers: Record<string, string[]> = {
    xz: ["xz", "-dc"],
    gz: ["gzip", "-dc"],
    zip: ["sh", "-c", 'unzip -p "$1" relay.exe', "sh"],
  };

  test("hold the binaries, and are the same in every time zone and at any time", async () => {
    await using box = sandbox();
    const folder = await packSmall(box, "UTC", 2001);
    const assets = await assetsIn(folder);
    const names = targets.flatMap((target) => [binaryName(target), ...archiveNames(target)]);
    expect(assets.map(({ name }) => name)).toEqual(names.sort());
    expect(await assetsIn(await packSmall(box, "Pacific/Auckland", 2031))).toEqual(assets);
    for (const name of targets.flatMap(archiveNames)) {
      const [, target = "", suffix = ""] = /^relay-(.*)\.(xz|gz|zip)$/.exec(name) ?? [];
      const { stdout } = await box.run([...(unpackers[suffix] ?? []), join(folder, name)]);
      expect([name, stdout === `${target} `.repeat(10_000)]).toEqual([name, true]);
    }
  });
});

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

const bundles = ["relay-macos.mcpb", "relay-windows.mcpb", "relay-linux.mcpb"];
const downloads = targets.flatMap((target) => [
  ...(target.system === "windows" ? [] : [binaryName(target)]),
  ...archiveNames(target),
]);
const publication: Publication = {
  version: "1.2.3",
  description: manifest.description,
  license: manifest.license,
  address: readBaseUrl("https://github.com/somebody/relay/releases/download/v1.2.3"),
  assets: [...downloads, ...bundles].map((name) => ({
    name,
    sha256: new Bun.CryptoHasher("sha256").update(name).digest("hex"),
  })),
};

const manifests: [name: string, make: (publication: Publication) => string][] = [
  ["server.json", registryEntry],
  ["relay.json", scoopManifest],
  ["relay.rb", homebrewFormula],
];

describe("a manifest", () => {
  test.each(manifests)("%s", (_name, make) => {
    expect(make(publication)).toMatchSnapshot();
  });

  test.each(manifests)("%s names no file that is not in the release", (_name, make) => {
    expect(() => make({ ...publication, assets: [] })).toThrow(/^relay-.* is not in the release$/);
  });

  test("for the MCP registry has a description of at most 100 characters", () => {
    expect(JSON.parse(registryEntry(publication)).description.length).toBeLessThanOrEqual(100);
  });

  test.skipIf(!Bun.which("ruby"))("for Homebrew is Ruby", async () => {
    await using box = sandbox();
    const checked = await box.run(["ruby", "-wc", "-"], { stdin: homebrewFormula(publication) });
    expect(checked).toEqual({ status: 0, stdout: "Syntax OK\n", stderr: "" });
  });
});

test("one sentence says everywhere what relay is", async () => {
  await using box = sandbox();
  const outputs = [box.relay(["help"]), box.run(["sh", join(root, "install.sh"), "--help"])];
  const texts = [
    ...["README.md", "build/plugin/README.md", "src/cli/command-line.ts"].map((path) => read(root, path)),
    ...["build/plugin/.claude-plugin/plugin.json", ".claude-plugin/marketplace.json"].map((path) => read(root, path)),
    ...bundleSystems.map((system) => JSON.stringify(bundleManifest(system, "1.2.3", { tools: [], prompts: [] }))),
    ...manifests.map(([, make]) => make(publication)),
    ...(await Promise.all(outputs)).map(({ stdout }) => stdout),
  ];
  const [letter = "", ...others] = manifest.description;
  const sentence = new RegExp(`[${letter}${letter.toLowerCase()}]${others.join("")}`);
  for (const text of texts) expect(text).toMatch(sentence);
  expect(manifest.description.length).toBeLessThan(80); // Homebrew's limit
});

describe("the install scripts of a release", () => {
  const { version, assets, address } = publication;
  const { baseUrl } = address;

  test("have its version, its address and every SHA-256 in them", async () => {
    await using box = sandbox();
    await stampInstallers({ version, baseUrl, assets }, box.home);
    const [shell, windows] = ["install.sh", "install.ps1"].map((name) => read(box.home, name).split("\n"));
    expect(shell).toContain("release_version='1.2.3'");
    expect(shell).toContain(`release_url='${baseUrl}'`);
    expect(windows).toContain("    $ReleaseVersion = '1.2.3'");
    expect(windows).toContain(`    $ReleaseUrl = '${baseUrl}'`);
    for (const { name, sha256 } of assets) {
      expect(shell).toContain(`    ${name}) echo ${sha256} ;;`);
      expect(windows).toContain(`        '${name}' = '${sha256}'`);
    }
    expect(windows?.join("\n")).toMatch(/^[\n\x20-\x7e]*$/); // Windows PowerShell needs ASCII
  });

  test.each(downloads)("are not made without %s", async (name) => {
    await using box = sandbox();
    const others = assets.filter((asset) => asset.name !== name);
    const stamping = stampInstallers({ version, baseUrl, assets: others }, box.home);
    await expect(stamping).rejects.toThrow(`are missing: ${name}`);
    expect(readdirSync(box.home)).toEqual([]);
  });
});
