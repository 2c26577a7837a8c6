// install.sh on every kind of machine: which binary it takes, with which programs, into which folder, and what it advises.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { expectFailure, type Machine, machine } from "./support/machine.ts";
import { mirror, preferred, standIn } from "./support/mirror.ts";
import { sandbox } from "./support/sandbox.ts";

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
    ["Linux", "arm64", glibc, "linux-arm64"],
    ["Linux", "x86_64", musl, "linux-x64-musl"],
    ["Linux", "aarch64", musl, "linux-arm64-musl"],
    ["Darwin", "arm64", "exit 127", "darwin-arm64"],
    ["Darwin", "x86_64", "exit 127", "darwin-x64"],
  ])("%s on %s, where ldd runs: %s", async (system, cpu, ldd, name) => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    become(here, system, cpu);
    here.fake("ldd", ldd);
    expect((await here.pipe(release.script)).status).toBe(0);
    expect(release.requests).toEqual([`relay-${name}${preferred}`]);
  });

  test("Apple's own processor, under Rosetta", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    become(here, "Darwin", "x86_64");
    here.fake("sysctl", '[ "$*" = "-n sysctl.proc_translated" ] && echo 1');
    await here.pipe(release.script);
    expect(release.requests).toEqual([`relay-darwin-arm64${preferred}`]);
  });

  test.each([
    ["\x7fELF … /lib/ld-musl-x86_64.so.1 …", "linux-x64-musl"],
    ["\x7fELF … /lib64/ld-linux-x86-64.so.2 …", "linux-x64"],
  ])("the C library of the shell, where there is no ldd: %j", async (shell, name) => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    here.lacks("ldd");
    here.fake("sh", shell);
    await here.pipe(release.script);
    expect(release.requests).toEqual([`relay-${name}${preferred}`]);
  });

  test.skipIf(!Bun.which("busybox"))("a system that has nothing but busybox", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    here.lacks("curl", "getconf", "gzip", "openssl", "shasum", "xz");
    const applets = "cat chmod dirname env grep id mkdir mktemp mv rm rmdir sed sh sha256sum unxz wget";
    here.has(applets.split(" "), "busybox");
    here.fake("ldd", musl);
    expect(await here.pipe(release.script, { shell: ["busybox", "sh"] })).toMatchObject({ status: 0 });
    expect(release.requests).toEqual(["relay-linux-x64-musl.xz"]);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  });
});

describe("there is none for", () => {
  test.each([
    ["Linux", "riscv64", "there is no relay for the processor riscv64, only for x86_64 and arm64."],
    ["FreeBSD", "amd64", "there is no relay for FreeBSD, only for Linux, macOS and Windows."],
    ["MINGW64_NT-10.0", "x86_64", "for Windows, run this in PowerShell: irm URL/install.ps1 | iex"],
  ])("%s on %s", async (system, cpu, sentence) => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    become(here, system, cpu);
    await expectFailure(here, release.script, sentence.replace("URL", release.url));
    expect(release.requests).toEqual([]);
  });

  test("a 32-bit system on a 64-bit kernel", async () => {
    await using box = sandbox();
    const here = machine(box);
    here.fake("getconf", "echo 32");
    const { script } = await mirror(box);
    await expectFailure(here, script, "this system is 32-bit, and relay is not. Install a 64-bit system.");
  });
});

describe("with the programs that are there", () => {
  test.each([
    ["no curl", "curl", "wget", preferred],
    ["no sha256sum", "sha256sum", "", preferred],
    ["nothing but openssl for hashes", "sha256sum shasum", "", preferred],
    ["no xz", "xz", "", ".gz"],
    ["nothing to unpack with", "xz gzip", "", ""],
  ])("%s", async (_, lacks, has, extension) => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    here.lacks(...lacks.split(" "));
    if (has) here.has(has.split(" "));
    expect(await here.pipe(release.script)).toMatchObject({ status: 0 });
    expect(release.requests).toEqual([`relay-linux-x64${extension}`]);
    expect(readFileSync(here.installed, "utf8")).toBe(standIn);
  });

  test.skipIf(!Bun.which("busybox"))("gunzip alone", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    here.lacks("xz", "gzip");
    here.has(["gunzip"], "busybox");
    expect(await here.pipe(release.script)).toMatchObject({ status: 0 });
    expect(release.requests).toEqual(["relay-linux-x64.gz"]);
  });

  test.each([
    [
      "no curl and no wget",
      "curl",
      "neither curl nor wget is there. Install one of them, and run this again.",
    ],
    [
      "nothing to compute a hash with",
      "sha256sum shasum openssl",
      "nothing here can compute a SHA-256, so the download could not be checked. Install sha256sum, shasum or openssl.",
    ],
  ])("%s: nothing is downloaded", async (_, lacks, sentence) => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    here.lacks(...lacks.split(" "));
    await expectFailure(here, release.script, sentence);
    expect(release.requests).toEqual([]);
  });

  test("a hash program that says nothing", async () => {
    await using box = sandbox();
    const here = machine(box);
    const { script } = await mirror(box);
    here.fake("sha256sum", "exit 1");
    const { status, stderr } = await here.pipe(script);
    expect(stderr).toContain("its SHA-256 is unknown, and should be");
    expect(status).toBe(1);
    expect(here.files()).toEqual([]);
  });

  test("wget, and an asset that is not there", async () => {
    await using box = sandbox();
    const here = machine(box);
    const release = await mirror(box);
    release.answer = (response) => response.writeHead(404).end();
    here.lacks("curl");
    here.has(["wget"]);
    const { status, stderr } = await here.pipe(release.script);
    expect(stderr).toMatch(
      /install\.sh: cannot download .* ERROR 404: Not Found\.\)\. Nothing was installed\./,
    );
    expect(status).toBe(1);
    expect(here.files()).toEqual([]);
  });
});
