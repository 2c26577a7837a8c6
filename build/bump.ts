import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { released } from "./changelog.ts";

const root = join(import.meta.dir, "..");
const manifests = ["package.json", "package-lock.json", "build/plugin/.claude-plugin/plugin.json"];

try {
  bump(process.argv[2]);
} catch (error) {
  console.error(`bump: ${(error as Error).message}`);
  process.exit(1);
}

/** Writes relay's next version into each manifest, and gives it the unreleased changes in the changelog. */
function bump(version: string | undefined): void {
  const texts = new Map(["CHANGELOG.md", ...manifests].map((name) => [name, readFileSync(join(root, name), "utf8")]));
  const current: string = JSON.parse(texts.get("package.json") ?? "").version;
  if (!version || !/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(version))
    throw new Error(`the version is ${version ?? "missing"}; it must be three numbers. Run: npm run bump -- X.Y.Z`);
  if (Bun.semver.order(version, current) < 0)
    throw new Error(`${version} is older than ${current}. Use a newer version.`);
  const date = new Date().toISOString().slice(0, 10);
  const changelog = released(texts.get("CHANGELOG.md") ?? "", version, date);
  for (const name of manifests) writeFileSync(join(root, name), withVersion(texts.get(name) ?? "", version));
  writeFileSync(join(root, "CHANGELOG.md"), changelog);
  console.log(`${current} -> ${version}. Check the changes, then:
  git commit -am "Release ${version}" && git tag v${version} && git push origin HEAD v${version}`);
}

// A spread keeps the order of the keys, so that only the version changes. The lock has it twice.
function withVersion(text: string, version: string): string {
  const manifest = JSON.parse(text);
  const changed = { ...manifest, version };
  if (manifest.packages) changed.packages = { ...manifest.packages, "": { ...manifest.packages[""], version } };
  return `${JSON.stringify(changed, null, 2)}\n`;
}
