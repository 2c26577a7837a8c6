// Snapshots of everything that a model is shown, so that each change is reviewed.
import { expect, test } from "bun:test";
import { connect, connectBoth } from "./support/peer.ts";
import { sandbox } from "./support/sandbox.ts";

test("the tools", async () => {
  await using box = sandbox();
  const { desktop, code } = await connectBoth(box);
  const { tools } = await code.client.listTools();
  expect(tools).toMatchSnapshot();
  expect(JSON.stringify({ tools }).length).toBeLessThan(4_096);
  expect((await desktop.client.listTools()).tools).toEqual(tools);
});

test("the instructions", async () => {
  await using box = sandbox();
  const { client } = await connect(box);
  const instructions = client.getInstructions() ?? "";
  expect(instructions).toMatchSnapshot();
  expect(instructions.length).toBeLessThan(4_096); // Claude Code cuts the rest
});

test("the prompt, and nothing else: no resources, no completions", async () => {
  await using box = sandbox();
  const { client } = await connect(box);
  expect((await client.listPrompts()).prompts).toMatchSnapshot();
  expect(client.getServerCapabilities()).toEqual({ tools: {}, prompts: {} });
});

test("no result has structured content", async () => {
  await using box = sandbox();
  const { desktop } = await connectBoth(box);
  for (const call of [
    { name: "relay_send", arguments: { message: "x" } },
    { name: "relay_fetch" },
    { name: "relay_clear" },
  ]) {
    expect(await desktop.client.callTool(call)).not.toHaveProperty("structuredContent");
  }
});
