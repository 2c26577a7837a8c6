import { existsSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Sandbox } from "./sandbox.ts";

const python = join(import.meta.dir, "../../.lab/original/bin/python");

/** Whether `npm run lab:original` installed mcp-server-relay 1.2.4 here. */
export const hasOriginal = existsSync(python);

/** A row as the original's `relay_fetch` answers it. */
interface OriginalMessage {
  id: number;
  sender: string;
  message: string;
  read_by_desktop_at: string | null;
  read_by_code_at: string | null;
}

/** A server of the original's, with the SDK's client. */
export interface Original {
  pid: number;
  send(sender: "desktop" | "code", message: string): Promise<Record<string, unknown>>;
  fetch(args?: Record<string, unknown>): Promise<OriginalMessage[]>;
  close(): Promise<void>;
}

/** Starts the original for one of the two clients. It is stopped with the sandbox. */
export async function connectOriginal(box: Sandbox, client: "desktop" | "code"): Promise<Original> {
  const transport = new StdioClientTransport({
    command: python,
    args: ["-I", "-c", "import relay_server; relay_server.main()", "--client", client],
    env: box.env,
    cwd: box.home,
    stderr: "ignore",
  });
  const mcp = new Client({ name: "test-client", version: "1.0.0" });
  await mcp.connect(transport);
  box.defer(() => mcp.close());
  const call = async (name: string, args: Record<string, unknown>) => {
    const { content, isError } = await mcp.callTool({ name, arguments: args });
    const parts = (content as { text: string }[]).map(({ text }) => text);
    if (isError) throw new Error(parts.join("\n"));
    return parts.map((text) => JSON.parse(text));
  };
  return {
    pid: transport.pid ?? 0,
    send: async (sender, message) => (await call("relay_send", { sender, message }))[0],
    fetch: (args = {}) => call("relay_fetch", args),
    close: () => mcp.close(),
  };
}

/** Runs lines of Python with the original's module loaded as `relay_server`. Answers what they print as JSON. */
export async function runInOriginal<T>(box: Sandbox, ...lines: string[]): Promise<T> {
  const script = ["import json, os, sys, threading, time", "import relay_server", ...lines].join("\n");
  const ran = await box.run([python, "-I", "-c", script]);
  if (ran.status !== 0) throw new Error(ran.stderr);
  return JSON.parse(ran.stdout);
}
