import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveNames } from "../../build/archives.ts";
import { stampInstallers } from "../../build/install-scripts.ts";
import { binaryName, targets } from "../../build/targets.ts";
import type { Sandbox } from "./sandbox.ts";

/** Stands for the program of a release: it knows its version and prints how it was called. */
export const standIn = `#!/bin/sh
# every relay has relay_buffer in it
case $1 in
  --version) echo 9.8.7 ;;
  demo) echo 'called: relay demo' ;;
  *) echo "called: relay $*"; exit "\${STATUS:-0}" ;;
esac
`;

/** A release on a loopback mirror. */
export interface Mirror {
  url: string;
  /** Its install.sh. */
  script: string;
  /** The names that were asked for. */
  requests: string[];
  /** Answers a request for an asset: with the asset itself, unless a test replaces this. */
  answer(response: ServerResponse, bytes: Uint8Array): void;
}

/** The extension that install.sh prefers on a machine that has everything. */
export const preferred = Bun.which("xz") ? ".xz" : ".gz";

const packed: Record<string, Uint8Array> = {
  "": Buffer.from(standIn),
  ".gz": Bun.gzipSync(Buffer.from(standIn)),
  ".xz": Bun.which("xz")
    ? Bun.spawnSync(["xz", "-c"], { stdin: Buffer.from(standIn) }).stdout
    : Buffer.from("no machine of the tests has xz either"),
};

/** Serves a release whose programs are all the stand-in, or `program`, which is not packed. */
export async function mirror(box: Sandbox, program?: Uint8Array, version = "9.8.7"): Promise<Mirror> {
  const names = targets.flatMap((target) => [binaryName(target), ...archiveNames(target)]);
  const contentOf = (name: string) => program ?? packed[/\.(gz|xz)$/.exec(name)?.[0] ?? ""] ?? Buffer.alloc(0);
  const files = new Map(names.map((name) => [name, contentOf(name)]));
  const made: Mirror = {
    url: "",
    script: "",
    requests: [],
    answer: (response, bytes) => response.end(bytes),
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    made.requests.push(name);
    const bytes = files.get(name);
    if (bytes) made.answer(response, bytes);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  box.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sums = new Map([...new Set(files.values())].map((bytes) => [bytes, sha256(bytes)]));
  const assets = [...files].map(([name, bytes]) => ({ name, sha256: sums.get(bytes) ?? "" }));
  const folder = mkdtempSync(join(tmpdir(), "relay-test-release-"));
  await stampInstallers({ version, baseUrl: made.url, assets }, folder);
  made.script = readFileSync(join(folder, "install.sh"), "utf8");
  rmSync(folder, { recursive: true });
  files.set("install.sh", Buffer.from(made.script));
  files.set("SHA256SUMS", Buffer.from(assets.map((asset) => `${asset.sha256}  ${asset.name}\n`).join("")));
  return made;
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
