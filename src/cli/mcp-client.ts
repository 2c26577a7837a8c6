import { readLines } from "../platform/input.ts";

// Two processes start within this time, even on a slow machine.
const requestMs = 10_000;

// The time for a server to end after its input ended.
const endMs = 2_000;

// A program that the server started may hold its standard error open.
const drainMs = 1_000;

/** A server to start, and the words with which its client introduces itself. */
export interface ServerOptions {
  command: string;
  args: string[];
  /** Its whole environment. */
  env: Record<string, string>;
  /** The folder it starts in; the current one if left out. */
  cwd?: string;
  clientInfo: { name: string; version: string };
}

/**
 * An MCP client with a server of its own, over stdio. The SDK's `Client` uses all of the SDK's schemas, which every server
 * would then make at its start, in 20 ms (facts.md, "Bun").
 */
export class McpClient {
  /** The version that the server names. */
  serverVersion = "";
  readonly #child;
  readonly #pending = new Map<unknown, (answer: object) => void>();
  readonly #ended: Promise<never>;
  #stderr = "";
  #lastId = 0;

  private constructor({ command, args, env, cwd = "." }: ServerOptions) {
    const stdio = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;
    this.#child = Bun.spawn([command, ...args], { env, cwd, ...stdio, windowsHide: true });
    this.#ended = this.#read();
    this.#ended.catch(() => {}); // each request gets the error
  }

  /** Starts a server and introduces the client. Throws an error with the last line of the server's standard error. */
  static async start(options: ServerOptions): Promise<McpClient> {
    const client = new McpClient(options);
    const { clientInfo } = options;
    try {
      const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
      const { serverInfo } = await client.#request("initialize", params);
      client.serverVersion = String(Object(serverInfo).version ?? "");
      await client.#send({ method: "notifications/initialized" });
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Calls a tool and answers its text. Throws an error with the tool's words, or as `start`. */
  async callTool(name: string, args: Record<string, unknown>): Promise<string> {
    const { content, isError } = await this.#request("tools/call", { name, arguments: args });
    const text = (content as { text?: string }[] | undefined)?.[0]?.text ?? "";
    if (isError) throw new Error(text.replace(/^relay: /, ""));
    return text;
  }

  /** The names of the server's tools. Throws as `start`. */
  async listTools(): Promise<string[]> {
    const { tools = [] } = await this.#request("tools/list", {});
    return (tools as { name: string }[]).map(({ name }) => name);
  }

  /** Ends the server's input, and kills a server that goes on. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), endMs);
    try {
      await this.#child.stdin.end();
    } catch {} // the server has ended
    await this.#child.exited;
    clearTimeout(timer);
  }

  async #request(method: string, params: object): Promise<Record<string, unknown>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise: answered, resolve, reject } = Promise.withResolvers<object>();
    this.#pending.set(id, resolve);
    const timeout = new Error(`no answer to ${method} within ${requestMs / 1000} s`);
    const timer = setTimeout(() => reject(timeout), requestMs);
    try {
      await this.#send({ id, method, params });
      const answer = await Promise.race([answered, this.#ended]);
      if ("result" in answer) return Object(answer.result);
      throw new Error("error" in answer ? Object(answer.error).message : `no result of ${method}`);
    } catch (error) {
      const lastLine = this.#stderr.trim().split("\n").at(-1);
      throw new Error([(error as Error).message, lastLine].filter(Boolean).join(": "));
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  async #send(message: object): Promise<void> {
    try {
      this.#child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      await this.#child.stdin.flush();
    } catch {} // the server has ended, and #read throws
  }

  async #read(): Promise<never> {
    const stderr = this.#readErrors();
    for await (const line of readLines(this.#child.stdout)) this.#receive(line ?? "");
    await this.#child.exited;
    await Promise.race([stderr, Bun.sleep(drainMs)]);
    throw new Error(`it ended with ${this.#child.signalCode ?? `status ${this.#child.exitCode}`}`);
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream()))
      this.#stderr = (this.#stderr + text).slice(-2_000);
  }

  #receive(line: string): void {
    try {
      const answer = Object(JSON.parse(line));
      this.#pending.get(answer.id)?.(answer);
    } catch {} // not MCP
  }
}
