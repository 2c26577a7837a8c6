// The eight binaries of a release: built once, then each is what it says, signed, the same every time, and at work.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinaries } from "../build/binaries.ts";
import { checkBinary } from "../build/check-binary.ts";
import { checkAdHocSignature, signAdHoc } from "../build/code-signature.ts";
import { emulatorFor } from "../build/emulators.ts";
import { readMachO } from "../build/mach-o.ts";
import { RuntimesUnavailable } from "../build/runtimes.ts";
import { binaryName, type Target, targets } from "../build/targets.ts";
import { tryBinary } from "../build/trial.ts";
import { version } from "../src/core/version.ts";

const root = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "relay-release-"));
const failure: Error | null = await buildBinaries(targets, root, folder).then(
  () => null,
  (error) => error,
);
const unavailable = failure instanceof RuntimesUnavailable;
if (unavailable) console.warn(`the tests of the eight binaries are skipped. ${failure.message}`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pathOf = (target: Target) => join(folder, binaryName(target));
const contentOf = (name: string) => new Uint8Array(readFileSync(pathOf(named(name))));

function named(name: string): Target {
  const target = targets.find((one) => one.name === name);
  if (!target) throw new Error(`there is no target ${name}`);
  return target;
}

const testWithBinaries = test.skipIf(unavailable);

testWithBinaries("the eight are built, and each passes its checks", () => {
  expect(failure).toBeNull();
  const names = [
    "linux-x64",
    "linux-arm64",
    "linux-x64-musl",
    "linux-arm64-musl",
    "darwin-arm64",
    "darwin-x64",
  ];
  const windows = ["windows-x64.exe", "windows-arm64.exe"];
  expect(readdirSync(folder).sort()).toEqual([...names, ...windows].map((name) => `relay-${name}`).sort());
});

describe("is nothing but itself:", () => {
  testWithBinaries.each(targets.map((target) => [target.name, target] as const))("%s", (_name, target) => {
    const content = contentOf(target.name);
    checkBinary(content, target);
    for (const other of targets)
      if (other !== target) expect(() => checkBinary(content, other)).toThrow(/^its? /);
  });
});

describe("is refused, because it needs something that not every system has:", () => {
  testWithBinaries.each([
    ["linux-x64", "libdl.so.2", "libxy.so.2"],
    ["linux-arm64-musl", "libstdc++.so.6", "libstdc++.so.7"],
    ["darwin-x64", "/usr/lib/libresolv.9.dylib", "/opt/lib/libresolv.9.dylib"],
    ["darwin-arm64", "/usr/lib/libc++.1.dylib", "@rpath//libc++.1.dylib\0"],
    ["windows-x64", "\0ole32.dll\0", "\0evil2.dll\0"],
    ["windows-arm64", "\0ntdll.dll\0", "\0nasty.dll\0"],
  ])("%s with %j as %j", (name, library, another) => {
    const content = Buffer.from(contentOf(name));
    let place = content.indexOf(library);
    expect(place).toBeGreaterThan(0);
    for (; place >= 0; place = content.indexOf(library, place + 1)) content.write(another, place, "latin1");
    expect(() => checkBinary(content, named(name))).toThrow(
      `it needs more of the system: ${another.replaceAll("\0", "")}`,
    );
  });
});

describe("the signature of", () => {
  const signed = ["darwin-arm64", "darwin-x64"];

  testWithBinaries.each(signed)("%s covers every byte", (name) => {
    const content = contentOf(name);
    checkAdHocSignature(content);
    const end = readMachO(content).signature?.offset ?? 0;
    for (const place of [4095, 4096, Math.floor(end / 2), end - 1]) {
      const changed = content.slice();
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(() => checkAdHocSignature(changed)).toThrow(/^1 of \d+ pages differ/);
    }
  });

  testWithBinaries.each(signed)("%s ends with the file", (name) => {
    const content = contentOf(name);
    const wrong = "its signature is not at its end";
    expect(() => checkAdHocSignature(content.subarray(0, content.length - 1))).toThrow(wrong);
    expect(() => checkAdHocSignature(Buffer.concat([content, new Uint8Array(1)]))).toThrow(wrong);
  });

  testWithBinaries("darwin-arm64 would be the same if Bun's were replaced by ours", () => {
    const content = contentOf("darwin-arm64"); // as Bun signed it, with the name that it always gives
    expect(Buffer.compare(signAdHoc(content, "a.out"), content)).toBe(0);
  });

  testWithBinaries("darwin-x64 is the only thing that signing it again would change", () => {
    const content = contentOf("darwin-x64");
    const again = signAdHoc(content, "another.name");
    const end = readMachO(content).signature?.offset ?? 0;
    const differing = [...again.subarray(0, 4096)].filter((byte, index) => byte !== content[index]);
    expect(differing.length).toBeLessThanOrEqual(8); // two sizes among the load commands
    expect(Buffer.compare(again.subarray(4096, end), content.subarray(4096, end))).toBe(0);
    checkAdHocSignature(again);
  });
});

testWithBinaries(
  "a binary that is not what it should be stops the build",
  async () => {
    const another = mkdtempSync(join(tmpdir(), "relay-release-wrong-"));
    try {
      const wrong = { ...named("linux-x64-musl"), loader: "/lib/ld-other.so.1" };
      await expect(buildBinaries([wrong], root, another)).rejects.toThrow(
        "relay-linux-x64-musl is wrong: its loader is /lib/ld-musl-x86_64.so.1, not /lib/ld-other.so.1",
      );
    } finally {
      rmSync(another, { recursive: true, force: true });
    }
  },
  600_000,
);

testWithBinaries(
  "building again makes the same bytes",
  async () => {
    const another = mkdtempSync(join(tmpdir(), "relay-release-again-"));
    try {
      const target = named("darwin-x64");
      await buildBinaries([target], root, another);
      const again = readFileSync(join(another, binaryName(target)));
      expect(Buffer.compare(again, contentOf(target.name))).toBe(0);
    } finally {
      rmSync(another, { recursive: true, force: true });
    }
  },
  600_000,
);

describe("at work:", () => {
  for (const target of targets) {
    const emulator = failure ? "needs the binary" : emulatorFor(target, pathOf(target));
    const where = typeof emulator === "string" ? emulator : `on ${emulator.name}`;
    test.skipIf(unavailable || (failure === null && typeof emulator === "string"))(
      `${target.name}, ${where}`,
      async () => {
        expect(await tryBinary(pathOf(target), target, version)).toEqual({
          ran: expect.stringContaining(where),
        });
      },
      600_000,
    );
  }

  test.skipIf(unavailable || process.arch !== "x64")("not if it says another version", async () => {
    const target = named("linux-x64");
    await expect(tryBinary(pathOf(target), target, "9.9.9")).rejects.toThrow(
      `it says that it is ${version}, not 9.9.9`,
    );
  });

  test.skipIf(unavailable || process.arch !== "x64")(
    "not if it is something else that prints the version",
    async () => {
      const impostor = join(folder, "impostor");
      writeFileSync(impostor, `#!/bin/sh\necho ${version}\ncat >/dev/null\n`, { mode: 0o755 });
      try {
        await expect(tryBinary(impostor, named("linux-x64"), version)).rejects.toThrow(
          `relay does not speak MCP here, but: ${version}`,
        );
      } finally {
        rmSync(impostor);
      }
    },
  );

  const oldCpu = Bun.which("qemu-x86_64-static");
  test.skipIf(unavailable || !oldCpu)(
    "linux-x64, on a CPU of 2008, without AVX",
    () => {
      const argv = [oldCpu ?? "", "-cpu", "Nehalem", pathOf(named("linux-x64")), "--version"];
      const { stdout } = Bun.spawnSync(argv, { env: { PATH: "/usr/bin:/bin", HOME: folder } });
      expect(stdout.toString().trim()).toBe(version);
    },
    120_000,
  );
});
