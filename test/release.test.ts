// The eight binaries of a release: formats, signatures, reproducible builds, and a trial of each.
// Windows' own are run by the release workflow: Debian's wine 8 lacks a library (bcryptprimitives) that Bun needs.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinaries, checkBinary } from "../build/binaries.ts";
import { signAdHoc } from "../build/mac-signature.ts";
import { RuntimesUnavailable } from "../build/runtimes.ts";
import { binaryName, type Target, targets } from "../build/targets.ts";
import { machineFor, tryBinary } from "../build/trial.ts";
import { version } from "../src/core/version.ts";

const root = join(import.meta.dir, "..");
const scratch = mkdtempSync(join(tmpdir(), "relay-release-"));
const folder = join(scratch, "eight");
mkdirSync(folder);
const failure: Error | null = await buildBinaries(targets, root, folder).then(
  () => null,
  (error) => error,
);
const unavailable = failure instanceof RuntimesUnavailable;
if (unavailable) console.warn(`the tests of the eight binaries are skipped. ${failure.message}`);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const pathOf = (target: Target) => join(folder, binaryName(target));

function named(name: string): Target {
  const target = targets.find((one) => one.name === name);
  if (!target) throw new Error(`there is no target ${name}`);
  return target;
}

describe.skipIf(unavailable)("the eight", () => {
  test("are built", () => {
    expect(failure).toBeNull();
    const libraries = ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"];
    const others = ["darwin-x64", "darwin-arm64", "windows-x64.exe", "windows-arm64.exe"];
    expect(readdirSync(folder).sort()).toEqual([...libraries, ...others].map((name) => `relay-${name}`).sort());
  });

  test("are the same every time", async () => {
    const [again, target] = [join(scratch, "again"), named("darwin-x64")];
    await buildBinaries([target], root, again);
    expect(readFileSync(join(again, binaryName(target))).equals(readFileSync(pathOf(target)))).toBe(true);
  });
});

const hasReaders = ["file", "readelf"].every((program) => Bun.which(program));

describe.skipIf(unavailable || !hasReaders)("the check of a binary", () => {
  test.each(targets.map((target) => [target.name, target] as const))(
    "passes %s for itself alone",
    async (_name, target) => {
      await checkBinary(pathOf(target), target);
      for (const other of targets)
        if (other !== target) await expect(checkBinary(pathOf(target), other)).rejects.toThrow("file calls it: ");
    },
  );

  test.each([
    ["linux-x64", { libraries: ["libc.so.6"] }, "it needs the library libm.so.6"],
    ["linux-arm64-musl", { libraries: ["libstdc++.so.6"] }, "it needs the library libc.musl-aarch64.so.1"],
    ["linux-arm64", { glibc: "2.16" }, "it needs glibc 2.17"],
  ])("refuses %s where only %j is allowed", async (name, allowed, sentence) => {
    const target = named(name);
    const stricter = { loader: "", libraries: [], ...target.linux, ...allowed };
    await expect(checkBinary(pathOf(target), { ...target, linux: stricter })).rejects.toThrow(sentence);
  });
});

describe.skipIf(unavailable)("the signature", () => {
  const read = (name: string) => readFileSync(pathOf(named(name)));
  const equal = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;

  test("is the one that Bun makes for arm64, with the name that Bun gives", () => {
    const arm64 = read("darwin-arm64");
    expect(equal(signAdHoc(arm64, "a.out"), arm64)).toBe(true);
  });

  test("of darwin-x64 has the hash of every page, and only signing it under another name changes it", () => {
    const x64 = read("darwin-x64");
    const directory = x64.lastIndexOf(Buffer.from("fade0cc0", "hex")) + 20; // after the index of one blob
    const hashes = directory + x64.readUInt32BE(directory + 16);
    const [pages, end] = [x64.readUInt32BE(directory + 28), x64.readUInt32BE(directory + 32)];
    expect([pages, end]).toEqual([Math.ceil(end / 4096), directory - 20]);
    const signed = Array.from({ length: pages }, (_, page) => {
      const hash = new Bun.CryptoHasher("sha256").update(x64.subarray(page * 4096, Math.min((page + 1) * 4096, end)));
      return equal(hash.digest(), x64.subarray(hashes + page * 32, hashes + page * 32 + 32));
    });
    expect(signed).not.toContain(false);
    expect(hashes + pages * 32).toBe(x64.length);
    expect(equal(signAdHoc(x64, "relay"), x64)).toBe(true);
    expect(equal(signAdHoc(x64, "other").subarray(4096, end), x64.subarray(4096, end))).toBe(true);
  });

  test.each([
    ["a program that goes on after it", (file: Buffer) => Buffer.concat([file, Buffer.alloc(1)]), "not at its end"],
    ["a program that is cut off", (file: Buffer) => file.subarray(0, -1), "not at its end"],
    ["something else", () => Buffer.alloc(4096), "not a 64-bit Mach-O program"],
  ])("is not put into %s", (_what, change, words) => {
    expect(() => signAdHoc(change(read("darwin-x64")), "relay")).toThrow(words);
  });
});

describe("at work:", () => {
  for (const target of targets) {
    const machine = failure ? "needs the binary" : machineFor(target, pathOf(target));
    const where = typeof machine === "string" ? machine : `on ${machine.name}`;
    test.skipIf(unavailable || (failure === null && typeof machine === "string"))(
      `${target.name}, ${where}`,
      async () => expect(await tryBinary(pathOf(target), target, version)).toEqual({ ran: where }),
    );
  }

  const here = named(`linux-${process.arch}`);
  test.skipIf(unavailable || process.platform !== "linux")("not if it says another version", async () => {
    const sentence = `its version is ${version}, not 9.9.9`;
    await expect(tryBinary(pathOf(here), here, "9.9.9")).rejects.toThrow(sentence);
  });

  test.skipIf(process.platform !== "linux")("not if it only prints the version", async () => {
    const impostor = join(scratch, "impostor");
    writeFileSync(impostor, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    await expect(tryBinary(impostor, here, version)).rejects.toThrow("Connection closed");
  });

  const oldCpu = Bun.which("qemu-x86_64-static");
  test.skipIf(unavailable || !oldCpu)("linux-x64, on a CPU of 2008, without AVX", () => {
    const argv = [oldCpu ?? "", "-cpu", "Nehalem", pathOf(named("linux-x64")), "--version"];
    const { stdout } = Bun.spawnSync(argv, { env: { PATH: "/usr/bin:/bin", HOME: scratch } });
    expect(stdout.toString().trim()).toBe(version);
  });
});
