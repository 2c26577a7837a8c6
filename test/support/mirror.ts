import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stampInstallers } from "../../build/install-scripts.ts";
import type { Sandbox } from "./sandbox.ts";

/** What stands for the program of a release: it knows its version and says how it was called. */
export const standIn = `#!/bin/sh
# every relay has relay_buffer in it
case $1 in
  --version) echo 9.8.7 ;;
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
  /** Answers whoever asks for an asset; with the asset itself, unless a test has a worse idea. */
  answer(response: ServerResponse, bytes: Uint8Array): void;
}

const systems = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-arm64",
  "darwin-x64",
];
const packed: [string, Uint8Array][] = [
  ["", Buffer.from(standIn)],
  [".gz", Bun.gzipSync(Buffer.from(standIn))],
  // without xz the machines of the tests have none either
  [
    ".xz",
    Bun.which("xz") ? Bun.spawnSync(["xz", "-c"], { stdin: Buffer.from(standIn) }).stdout : Buffer.alloc(1),
  ],
];

/** The extension that install.sh prefers, on a machine that has everything. */
export const preferred = Bun.which("xz") ? ".xz" : ".gz";

/** Serves a release whose programs are all the same: the stand-in, or `program`, which is not packed. */
export async function mirror(box: Sandbox, program?: Uint8Array, version = "9.8.7"): Promise<Mirror> {
  const files = new Map<string, Uint8Array>(
    systems.flatMap((system) =>
      packed.map(([extension, bytes]) => [`relay-${system}${extension}`, program ?? bytes] as const),
    ),
  );
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
  const sums = new Map<Uint8Array, string>();
  for (const cpu of ["x64", "arm64"]) files.set(`relay-windows-${cpu}.zip`, Buffer.alloc(1));
  const assets = [...files].map(([name, bytes]) => {
    const sha256 = sums.get(bytes) ?? new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    sums.set(bytes, sha256);
    return { name, sha256 };
  });
  const outDir = mkdtempSync(join(tmpdir(), "relay-test-release-"));
  box.defer(() => rmSync(outDir, { recursive: true, force: true }));
  await stampInstallers({ version, baseUrl: made.url, assets }, outDir);
  made.script = readFileSync(join(outDir, "install.sh"), "utf8");
  files.set("install.sh", Buffer.from(made.script));
  files.set("SHA256SUMS", Buffer.from(assets.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("")));
  return made;
}
