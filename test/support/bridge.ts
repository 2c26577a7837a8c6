import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js";
import { relayBinary, type Sandbox } from "./sandbox.ts";

/**
 * A relay server for each HTTP session on a loopback address, for programs that speak MCP over HTTP only. Every message
 * passes as it is. Answers the address; everything ends with the sandbox.
 */
export async function startBridge(box: Sandbox, args: string[]): Promise<string> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const listening = Promise.withResolvers<string>();
  let hosts: string[] = [];

  const open = async () => {
    const child = new StdioClientTransport({ command: relayBinary, args, env: box.env, cwd: box.home });
    const web = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, web),
      enableDnsRebindingProtection: true,
      allowedHosts: hosts,
      allowedOrigins: hosts.map((host) => `http://${host}`),
    });
    connect(web, child);
    web.onclose = () => void child.close();
    child.onclose = () => void web.close();
    box.defer(() => child.close());
    await child.start();
    await web.start();
    return web;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const id = request.headers["mcp-session-id"];
    const web = typeof id === "string" ? sessions.get(id) : await open();
    if (web) await web.handleRequest(request, response);
    else response.writeHead(404).end();
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    hosts = [`localhost:${port}`, `127.0.0.1:${port}`];
    listening.resolve(`http://localhost:${port}/mcp`);
  });
  box.defer(() => void server.closeAllConnections());
  box.defer(() => void server.close());
  return listening.promise;
}

function connect(web: StreamableHTTPServerTransport, child: StdioClientTransport): void {
  // a message of the server's own goes with the latest request
  const open = new Set<RequestId>();
  const failed = () => {}; // the other side is gone
  web.onmessage = (message: JSONRPCMessage) => {
    if ("method" in message && "id" in message) open.add(message.id);
    child.send(message).catch(failed);
  };
  child.onmessage = (message) => {
    if (!("method" in message)) {
      if (message.id !== undefined) open.delete(message.id);
      web.send(message).catch(failed);
      return;
    }
    const related = [...open].at(-1);
    web.send(message, related === undefined ? {} : { relatedRequestId: related }).catch(failed);
  };
}
