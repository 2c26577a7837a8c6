// The install scripts of a release know what they install.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Release, stampInstallers } from "../build/install-scripts.ts";
import { sandbox } from "./support/sandbox.ts";

const sha256 = "0123456789abcdef".repeat(4);
const cpus = ["x64", "arm64"];
const systems = cpus.flatMap((cpu) => [`linux-${cpu}`, `linux-${cpu}-musl`, `darwin-${cpu}`]);
const names = [
  ...systems.flatMap((system) => ["", ".gz", ".xz"].map((extension) => `relay-${system}${extension}`)),
  ...cpus.map((cpu) => `relay-windows-${cpu}.zip`),
];
const release: Release = {
  version: "1.2.3-rc.1",
  baseUrl: "https://example.org/relay/v1.2.3/",
  assets: [...names, "relay-macos.mcpb"].map((name) => ({ name, sha256: sum(name) })),
};

function sum(name: string): string {
  return new Bun.CryptoHasher("sha256").update(name).digest("hex");
}

test("version, address and every SHA-256 are in both, the same each time", async () => {
  await using box = sandbox();
  const paths = await stampInstallers({ ...release, outDir: join(box.home, "new/folder") });
  expect(paths).toEqual(["install.sh", "install.ps1"].map((name) => join(box.home, "new/folder", name)));
  const [shell = "", windows = ""] = paths.map((path) => readFileSync(path, "utf8"));
  expect(shell.split("\n")).toContain("release_version='1.2.3-rc.1'");
  expect(shell.split("\n")).toContain("release_url='https://example.org/relay/v1.2.3'");
  expect(windows.split("\n")).toContain("    $ReleaseVersion = '1.2.3-rc.1'");
  expect(windows.split("\n")).toContain("    $ReleaseUrl = 'https://example.org/relay/v1.2.3'");
  for (const { name, sha256 } of release.assets) {
    expect(shell.split("\n")).toContain(`    ${name}) echo ${sha256} ;;`);
    expect(windows.split("\n")).toContain(`        '${name}' = '${sha256}'`);
  }
  await stampInstallers({ ...release, outDir: join(box.home, "again") });
  for (const name of readdirSync(join(box.home, "again"))) {
    expect(readFileSync(join(box.home, "again", name))).toEqual(
      readFileSync(join(box.home, "new/folder", name)),
    );
  }
});

test.each(names)("a release without %s is none", async (name) => {
  await using box = sandbox();
  const assets = release.assets.filter((asset) => asset.name !== name);
  await expect(stampInstallers({ ...release, assets, outDir: box.home })).rejects.toThrow(`${name}: missing`);
});

test("--help says where it comes from", async () => {
  await using box = sandbox();
  const [path = ""] = await stampInstallers({ ...release, outDir: box.home });
  const { status, stdout } = await box.run(["sh", path, "--help"]);
  expect(stdout).toContain("curl -fsSL https://example.org/relay/v1.2.3/install.sh | sh");
  expect(stdout).toContain("Downloads relay 1.2.3-rc.1");
  expect(status).toBe(0);
});

describe("what a shell could take for something else is refused:", () => {
  test.each([
    [{ version: "1.2.3'; rm -rf ~; '" }, "is not a version"],
    [{ baseUrl: "https://example.org/$(id)" }, "is not an address"],
    [{ baseUrl: "file:///tmp" }, "is not an address"],
    [{ assets: [{ name: "a) id ;; b", sha256 }] }, "is not a name"],
    [{ assets: [{ name: "a", sha256: sha256.toUpperCase() }] }, "is not the SHA-256 of a"],
    [
      {
        assets: [
          { name: "a", sha256 },
          { name: "a", sha256 },
        ],
      },
      "twice",
    ],
  ])("%j", async (wrong, words) => {
    await using box = sandbox();
    await expect(stampInstallers({ ...release, ...wrong, outDir: box.home })).rejects.toThrow(words);
    expect(readdirSync(box.home)).toEqual([]);
  });
});

test("install.ps1 is plain ASCII, which Windows PowerShell needs", () => {
  expect(readFileSync(join(import.meta.dir, "../build/install.ps1"), "utf8")).toMatch(/^[\n\x20-\x7e]*$/);
});
