// install.sh on every kind of machine: the binary that it takes, the programs that it needs, and its refusals.
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Machine, machine } from "./support/machine.ts";
import { preferred, standIn } from "./support/mirror.ts";

/** Pretends to be another system. */
function become(here: Machine, system: string, cpu: string): void {
  here.fake("uname", `if [ "$1" = -m ]; then echo ${cpu}; else echo ${system}; fi`);
}

const glibc = "echo 'ldd (Debian GLIBC 2.36-9) 2.36'";
const musl = "echo 'musl libc (x86_64)' >&2; exit 1";

describe("it takes the binary for", () => {
  test.each([
    ["Linux", "x86_64", glibc, "linux-x64"],
    ["Linux", "amd64", glibc, "linux-x64"],
    ["Linux", "aarch64", glibc, "linux-arm64"],
    ["Linux", "x86_64", musl, "linux-x64-musl"],
    ["Linux", "aarch64", musl, "linux-arm64-musl"],
    ["Darwin", "arm64", "exit 127", "darwin-arm64"],
    ["Darwin", "x86_64", "exit 127", "darwin-x64"],
  ])("%s on %s, where ldd runs: %s", async (system, cpu, ldd, name) => {
    await using here = await machine();
    become(here, system, cpu);
    here.fake("ldd", ldd);
    expect((await here.install()).status).toBe(0);
    expect(here.release.requests).toEqual([`relay-${name}${preferred}`]);
  });

  test("Apple's own processor, under Rosetta", async () => {
    await using here = await machine();
    become(here, "Darwin", "x86_64");
    here.fake("sysctl", '[ "$*" = "-n sysctl.proc_translated" ] && echo 1');
    await here.install();
    expect(here.release.requests).toEqual([`relay-darwin-arm64${preferred}`]);
  });

  test.each([
    ["\x7fELF … /lib/ld-musl-x86_64.so.1 …", "linux-x64-musl"],
    ["\x7fELF … /lib64/ld-linux-x86-64.so.2 …", "linux-x64"],
  ])("the C library of the shell, where there is no ldd: %j", async (shell, name) => {
    await using here = await machine();
    here.lacks("ldd");
    here.fake("sh", shell);
    await here.install();
    expect(here.release.requests).toEqual([`relay-${name}${preferred}`]);
  });

  test.skipIf(!Bun.which("busybox"))("a system that has nothing but busybox", async () => {
    await using here = await machine();
    here.lacks("curl", "getconf", "gzip", "openssl", "shasum", "xz");
    const applets = "cat chmod dirname env grep id mkdir mktemp mv rm rmdir sed sh sha256sum unxz wget";
    here.has(applets.split(" "), "busybox");
    here.fake("ldd", musl);
    expect(await here.install({ shell: ["busybox", "sh"] })).toMatchObject({ status: 0 });
    expect(here.release.requests).toEqual(["relay-linux-x64-musl.xz"]);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  });
});

test.each([
  ["Linux", "riscv64", "64", "there is no relay for the processor riscv64, only for x86_64 and arm64."],
  ["FreeBSD", "amd64", "64", "there is no relay for FreeBSD, only for Linux, macOS and Windows."],
  ["MINGW64_NT-10.0", "x86_64", "64", "for Windows, run this in PowerShell: irm URL/install.ps1 | iex"],
  ["Linux", "x86_64", "32", "this system is 32-bit, and relay is not. Install a 64-bit system."],
])("there is none for %s on %s with %s bits", async (system, cpu, bits, sentence) => {
  await using here = await machine();
  become(here, system, cpu);
  here.fake("getconf", `echo ${bits}`);
  await here.refuses(sentence.replace("URL", here.release.url));
  expect(here.release.requests).toEqual([]);
});

test.each([
  ["curl", preferred],
  ["sha256sum", preferred],
  ["sha256sum shasum", preferred],
  ["xz", ".gz"],
  ["xz gzip", ".gz"],
  ["xz gzip gunzip", ""],
])("it does without %s", async (lacks, extension) => {
  await using here = await machine();
  here.has(["wget"]);
  here.fake("gunzip", 'exec /bin/gzip -d "$@"');
  here.lacks(...lacks.split(" "));
  // these are for the person's other downloads
  writeFileSync(join(here.home, ".curlrc"), 'proxy = "http://127.0.0.1:1"\n');
  writeFileSync(join(here.home, ".wgetrc"), "use_proxy = on\nhttp_proxy = http://127.0.0.1:1\n");
  expect(await here.install()).toMatchObject({ status: 0 });
  expect(here.release.requests).toEqual([`relay-linux-x64${extension}`]);
  expect(readFileSync(here.installed, "utf8")).toBe(standIn);
});

test.each([
  ["curl", "curl and wget are missing. Install one of them, and run this again."],
  [
    "sha256sum shasum openssl",
    "no program here computes a SHA-256 to check the download. Install sha256sum, shasum or openssl.",
  ],
])("it downloads nothing without %s", async (lacks, sentence) => {
  await using here = await machine();
  here.lacks(...lacks.split(" "));
  await here.refuses(sentence);
  expect(here.release.requests).toEqual([]);
});

test("a hash program that prints nothing fails closed", async () => {
  await using here = await machine();
  here.fake("sha256sum", "exit 1");
  const { status, stderr } = await here.install();
  expect([status, stderr]).toEqual([1, expect.stringContaining("its SHA-256 is unknown, and should be")]);
  expect(here.files()).toEqual([]);
});

test.skipIf(!Bun.which("wget"))("wget, and an asset that is not there", async () => {
  await using here = await machine();
  here.release.answer = (response) => response.writeHead(404).end();
  here.lacks("curl");
  here.has(["wget"]);
  const { status, stderr } = await here.install();
  expect(stderr).toMatch(/install\.sh: cannot download .* 404[: ].*\)\. Nothing was installed\./);
  expect(status).toBe(1);
  expect(here.files()).toEqual([]);
});
