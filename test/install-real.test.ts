// The compiled relay, installed from a mirror, wired, and removed without a trace.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../package.json";
import { machine } from "./support/machine.ts";
import { mirror } from "./support/mirror.ts";
import { relayBinary, sandbox } from "./support/sandbox.ts";

const canUninstall = Bun.spawnSync([relayBinary, "uninstall", "--help"]).success;

test.skipIf(!canUninstall)("installed, set up, used, uninstalled", async () => {
  await using box = sandbox();
  const here = machine(box);
  const { script } = await mirror(box, readFileSync(relayBinary), version);
  here.lacks("xz", "gzip");
  const folder = join(here.home, ".config/Claude");
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "claude_desktop_config.json");
  writeFileSync(config, '{"mcpServers":{"other":{"command":"x"}}}');
  const before = here.files();

  expect(await here.pipe(script)).toMatchObject({ status: 0 });
  const env = { ...here.env, RELAY_NOTIFY: "off" };
  const relay = (...args: string[]) => box.run([here.installed, ...args], { env });
  expect(await relay("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  expect(await relay("demo")).toMatchObject({ status: 0 });
  expect(await relay("setup")).toMatchObject({ status: 0 });
  expect(JSON.parse(readFileSync(config, "utf8")).mcpServers.relay.command).toBe(here.installed);

  expect(await here.pipe(script, { args: ["--uninstall"], env })).toMatchObject({ status: 0 });
  expect(readFileSync(config, "utf8")).toBe('{"mcpServers":{"other":{"command":"x"}}}');
  expect(here.files().filter((path) => !before.includes(path))).toEqual([".local", ".local/bin"]);
});
