import type { Client } from "../core/client.ts";
import type { Context } from "./context.ts";
import { summarizePage } from "./summary.ts";

/** One call of a tool: its client, the message that was sent or arrived, and the tool's answer. */
export interface Step {
  client: Client;
  tool: "relay_send" | "relay_fetch";
  message: string;
  answer: string;
}

/** Tells a person at a terminal the steps of a demo as they happen. With its pauses to read it takes ten seconds. */
export function storyOf(buffer: string, { print, style, relay }: Context): (step: Step) => Promise<void> {
  const { store } = relay({ buffer });
  const say = async (line: string, milliseconds: number) => {
    print(line);
    await Bun.sleep(milliseconds);
  };
  const place = (name: string, waiting = "") =>
    say(`${style("stdout", ["bold", "cyan"], name)}${waiting && style("stdout", "dim", ` · ${waiting}`)}`, 500);
  const you = (text: string) => say(`  ${style("stdout", "bold", "you")}     ${text}`, 800);
  const claude = (text: string) => say(`  ${style("stdout", "green", "Claude")}  ${text}`, 1000);
  const summary = async () => {
    const request = { reader: "code", limit: 5, includeRead: false, size: "typed", origin: "command" } as const;
    const lines = `relay: ${summarizePage(await store.peek({ ...request, project: null }))}`.split("\n");
    await say(lines.map((line) => style("stdout", "dim", `    ${line}`)).join("\n"), 2200);
  };
  return async ({ client, tool, message }) => {
    if (client === "desktop" && tool === "relay_send") {
      await place("Claude Desktop");
      await you("Send this plan and the sketch to Code.");
      await claude("Sent. It waits there as message 1.");
      await place("\nClaude Code", "1 from Desktop");
      await you("/get");
      await summary();
      store.close();
    } else if (tool === "relay_send") {
      await claude("A plan came from Desktop. It is built, and Desktop knows what broke.");
      await place("\nClaude Desktop");
      await you("get");
    } else if (client === "desktop") await claude(`From Code: ${message}`);
  };
}
