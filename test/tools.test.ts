// Promise 1 at the tools: arguments, answers and refusals. design.md, "Tools".
import { describe, expect, test } from "bun:test";
import { connect, connectBoth, textsOf } from "./support/peer.ts";
import { get, type Sandbox, sandbox, until } from "./support/sandbox.ts";
import { startServer, startSession, toolCall } from "./support/server-process.ts";

const kilobytes64 = 65_536;

/** How many messages wait for each. */
async function waits(box: Sandbox): Promise<{ desktop: number; code: number }> {
  return JSON.parse((await box.relay(["status", "--json"])).stdout).unread;
}

describe("relay_send takes", () => {
  const texts: [name: string, text: string, stored?: string][] = [
    ["one byte", "x"],
    ["65,536 bytes", "x".repeat(kilobytes64)],
    ["65,536 bytes in four-byte characters", "😀".repeat(kilobytes64 / 4)],
    ["NUL", "a\u0000b"],
    ["emoji with joiners", "👩‍💻🏳️‍🌈"],
    ["CRLF", "a\r\nb\r\n"],
    ["bidi controls", "a\u202eb\u2066c"],
    ["a BOM", "\ufeffa"],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["white space alone", " \n\t "],
  ];
  test.each(texts)("%s, and gives it back byte for byte", async (_name, text, stored = text) => {
    await using box = sandbox();
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    expect(await desktop.send(text)).toEqual({ ok: true, id: 1, unread: 1, evicted: [], evicted_unread: [] });
    expect((await get(box, "code")).messages.map(({ message }) => message)).toEqual([stored]);
  });
});

describe("relay_send refuses, and stores nothing", () => {
  const calls: [name: string, args: Record<string, unknown>, sentence: string][] = [
    ["65,537 bytes, four to a character", { message: `${"😀".repeat(kilobytes64 / 4)}x` }, "message is 65,537 bytes;"],
    ["a megabyte", { message: "x".repeat(1_048_576) }, "message is 1,048,576 bytes; the limit is 65,536."],
    ["an empty text", { message: "" }, "message is empty."],
    ["no text", {}, "message is missing."],
    ["null", { message: null }, "message is missing."],
    ["a number", { message: 5 }, "message is 5; it must be text."],
    ["an object", { message: { a: 1 } }, "message is an object; it must be text."],
    ["an unknown sender", { message: "x", sender: "bob" }, 'sender is "bob"; it must be "desktop" or'],
    ["a project that is no text", { message: "x", project: 5 }, "project is 5; it must be text."],
    ["an answer to no id", { message: "x", reply_to: "all" }, 'reply_to is "all"; it must be the id of a message.'],
    [
      "an answer to a message that is nowhere",
      { message: "x", reply_to: 7 },
      "there is no message 7 to answer. It was cleared, left the history, or was never sent; leave reply_to out.",
    ],
    ["a forged sender", { message: "x", sender: "CODE" }, 'sender is "code", but this is Desktop, not Code.'],
  ];
  test.each(calls)("%s", async (_name, args, sentence) => {
    await using box = sandbox();
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    const answer = await desktop.call("relay_send", args);
    expect(answer.isError).toBe(true);
    expect(answer.text).toStartWith(`relay: ${sentence}`);
    expect(answer.text).not.toContain("\n");
    expect((await get(box, "code")).messages).toEqual([]);
  });
});

describe("identity", () => {
  test("a server of an unknown client wants a sender, and believes it", async () => {
    await using box = sandbox();
    const stranger = await connect(box);
    const refused = await stranger.call("relay_send", { message: "x" });
    expect(refused).toEqual({ isError: true, text: expect.stringContaining("sender is missing") });
    expect(await stranger.send("x", { sender: "code" })).toMatchObject({ ok: true, unread: 1 });
    expect((await get(box, "desktop")).messages).toHaveLength(1);
  });

  const servers: [name: string, options: Parameters<typeof connect>[1], sender: string][] = [
    ["clientInfo claude-code", { name: "claude-code", version: "2.1.330", args: ["--client", "desktop"] }, "code"],
    ["clientInfo claude-ai", { name: "claude-ai", args: ["--client", "code"] }, "desktop"],
    ["CLAUDECODE=1", { name: "claude-ai", env: { CLAUDECODE: "1" }, args: ["--client", "desktop"] }, "code"],
    ["serve --client", { args: ["serve", "--client", "desktop"] }, "desktop"],
  ];
  test.each(servers)("%s decides who sends", async (_name, options, sender) => {
    await using box = sandbox();
    const peer = await connect(box, options);
    const names = [null, "", sender, sender.toUpperCase()];
    for (const name of names) await peer.send("x", { sender: name, surplus: 1 });
    const reader = sender === "code" ? "desktop" : "code";
    expect((await get(box, reader)).messages.map((message) => message.sender)).toEqual(names.map(() => sender));
  });

  test("a contradicting reader is refused, and nothing is marked", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    await desktop.send("for code");
    expect(await desktop.call("relay_fetch", { reader: "code" })).toEqual({
      isError: true,
      text: expect.stringContaining('reader is "code", but this is Desktop'),
    });
    expect(textsOf(await code.fetch())).toEqual(["for code"]);
  });

  const nested = { CLAUDE_PID: "1" };
  test.each([
    ["a Claude Code before 2.1.199", { name: "claude-code", version: "2.1.198" }, "Claude Code 2.1.198 may not ask"],
    ["another client inside Claude Code", { name: "x", env: { CLAUDECODE: "1" } }, "an unknown client inside"],
    ["a nested Claude Code", { name: "claude-code", version: "2.1.330", env: nested }, "was started by a model"],
  ])("%s neither gets nor clears, but sends", async (_name, options, why) => {
    await using box = sandbox();
    const { desktop } = await connectBoth(box);
    await desktop.send("for code");
    const peer = await connect(box, options);
    expect(await peer.call("relay_fetch")).toEqual({ isError: true, text: expect.stringContaining(why) });
    expect(await peer.call("relay_clear")).toEqual({ isError: true, text: expect.stringContaining(why) });
    expect(await peer.send("for desktop")).toMatchObject({ ok: true });
    expect((await get(box, "code", "--peek")).messages).toHaveLength(1);
  });
});

describe("relay_fetch", () => {
  const limits: [limit: unknown, shown: number | string][] = [
    [undefined, 5],
    [null, 5],
    ["", 5],
    [0, 1],
    [-3, 1],
    [1, 1],
    [20, 20],
    [21, 20],
    [1e300, 20],
    ["5", 5],
    ["+7", 7],
    [2.5, "limit is 2.5; it must be a whole number from 1 to 20."],
    ["x", 'limit is "x"; it must be'],
    ["2.0", 'limit is "2.0"; it must be'],
    [true, "limit is true; it must be"],
    [[1], "limit is a list; it must be"],
  ];
  test("takes limits, and marks nothing where it refuses one", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (let n = 1; n <= 20; n++) await desktop.send(`${n}`);
    for (const [limit, shown] of limits.toReversed()) {
      const asked = limit === undefined ? {} : { limit };
      const answer = await code.call("relay_fetch", { unread_only: false, ...asked });
      if (typeof shown === "number") expect([limit, textsOf(answer.text).length]).toEqual([limit, shown]);
      else expect(answer).toEqual({ isError: true, text: expect.stringContaining(`relay: ${shown}`) });
      if (typeof shown !== "number") expect((await waits(box)).code).toBe(20);
    }
  });

  test.each([
    ["reader", "bob", 'reader is "bob"; it must be'],
    ["unread_only", "yes", 'unread_only is "yes"; it must be true or false.'],
    ["unread_only", 1, "unread_only is 1; it must be true or false."],
  ])("refuses %s %j", async (name, value, sentence) => {
    await using box = sandbox();
    const { code } = await connectBoth(box);
    const answer = await code.call("relay_fetch", { [name]: value });
    expect(answer).toEqual({ isError: true, text: expect.stringContaining(sentence) });
  });

  test("takes unread_only as text, and a reader in any case", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (const text of ["read before", "1", "2", "3"]) await desktop.send(text);
    const shown: number[] = [];
    for (const unread_only of ["true", "", null, "False"])
      shown.push(textsOf(await code.fetch({ limit: shown.length === 3 ? 20 : 1, unread_only, reader: "Code" })).length);
    expect(shown).toEqual([1, 1, 1, 4]);
  });

  test("gives unread messages oldest first, each once, over several fetches and both ways", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (let n = 1; n <= 7; n++) {
      await desktop.send(`to code ${n}`);
      await code.send(`to desktop ${n}`);
    }
    const pages = [await code.fetch({ limit: 3 }), await code.fetch(), await code.fetch()];
    expect(pages.map(textsOf)).toEqual([
      ["to code 1", "to code 2", "to code 3"],
      ["to code 4", "to code 5", "to code 6", "to code 7"],
      [],
    ]);
    expect(pages[0]).toStartWith("relay: 3 messages from Desktop, 4 more waiting. ");
    expect(pages[1]).toStartWith("relay: 4 messages from Desktop. ");
    expect(pages[2]).toBe("relay: nothing new from Desktop.");
    expect(textsOf(await desktop.fetch({ limit: 20 }))).toHaveLength(7);
  });

  test("marks the messages on its page, and never the reader's own", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    await desktop.send("from Desktop 1");
    await code.send("from Code");
    await desktop.send("from Desktop 2");
    expect(textsOf(await desktop.fetch({ limit: 20 }))).toEqual(["from Code"]);
    const seen = async (reader: "desktop" | "code") => (await get(box, reader, "--peek", "--all")).messages;
    await until("the mark", async () => (await waits(box)).desktop === 0);
    const unread = { read_by_desktop_at: null, read_by_code_at: null };
    expect(await seen("desktop")).toMatchObject([{ ...unread, read_by_desktop_at: expect.any(String) }]);
    expect(await seen("code")).toMatchObject([unread, unread]);
    expect(textsOf(await code.fetch())).toEqual(["from Desktop 1", "from Desktop 2"]);
    await until("the marks", async () => (await waits(box)).code === 0);
    const read = { read_by_desktop_at: null, read_by_code_at: expect.any(String) };
    expect(await seen("code")).toMatchObject([read, read]);
    expect(await seen("desktop")).toMatchObject([{ read_by_code_at: null }]);
  });

  test("fills a page with as many whole messages as fit 64 KB", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (const size of [30_000, 30_000, 5_536, kilobytes64, 1]) await desktop.send("x".repeat(size));
    for (const sizes of [[30_000, 30_000, 5_536], [kilobytes64], [1]])
      expect(textsOf(await code.fetch()).map((text) => text.length)).toEqual(sizes);
  });

  test("with unread_only false fills the page with messages read before, labelled and in time order", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (let n = 1; n <= 4; n++) await desktop.send(`${n}`);
    await code.fetch({ limit: 3 });
    await until("the marks", async () => (await waits(box)).code === 1);
    await code.send("own, and never shown");
    const page = await code.fetch({ limit: 3, unread_only: false });
    expect(textsOf(page)).toEqual(["2", "3", "4"]);
    expect(page).toStartWith("relay: 1 message from Desktop, 2 read before. ");
    expect(page.match(/\(read before\)/g)).toHaveLength(2);
    expect(textsOf(await code.fetch())).toEqual([]);
  });

  test("on a server with no identity and without reader shows the newest of both sides, and marks nothing", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    await desktop.send("1");
    await code.send("2");
    await desktop.send("3");
    const stranger = await connect(box);
    const page = await stranger.fetch({ limit: 2 });
    expect(textsOf(page)).toEqual(["2", "3"]);
    expect(page).toStartWith("relay: the newest 2 messages of both sides, none marked as read. ");
    expect(textsOf(await code.fetch())).toEqual(["1", "3"]);
    expect(textsOf(await stranger.fetch({ reader: "desktop" }))).toEqual(["2"]);
    expect(textsOf(await desktop.fetch())).toEqual([]);
  });
});

describe("the window of 20", () => {
  test("drops the oldest read messages first, and silently", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (let n = 1; n <= 20; n++) await desktop.send(`${n}`);
    await code.fetch({ limit: 2 });
    await until("the marks", async () => (await waits(box)).code === 18);
    expect(await desktop.send("21")).toMatchObject({ unread: 19, evicted: [1], evicted_unread: [] });
    expect(await desktop.send("22")).toMatchObject({ evicted: [2], evicted_unread: [] });
    expect(await code.fetch({ limit: 20 })).toStartWith("relay: 20 messages from Desktop. ");
  });

  test("names a dropped unread message in the receipt and on the reader's next page", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (let n = 1; n <= 20; n++) await desktop.send(`${n}`);
    expect(await desktop.send("21")).toMatchObject({ unread: 20, evicted: [1], evicted_unread: [1] });
    expect(await desktop.send("22")).toEqual({
      ok: true,
      id: 22,
      unread: 20,
      evicted: [2],
      evicted_unread: [2],
    });
    const page = await code.fetch({ limit: 20 });
    expect(page).toContain(
      "\nrelay: 2 unread messages left the window, which was full (1-2). Nothing is lost; relay log lists them, and /get 1 in Claude Code brings the first.\n",
    );
    expect(await code.fetch()).toBe("relay: nothing new from Desktop.");
    expect(await desktop.fetch()).toBe("relay: nothing new from Code.");
  });

  test("names a drop to an author in its own receipt only", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    await code.send("asks desktop");
    for (let n = 2; n <= 20; n++) await desktop.send(`${n}`);
    expect(await desktop.send("21")).toMatchObject({ evicted: [1], evicted_unread: [1] });
    expect(Object.keys(await code.send("22"))).toEqual(["ok", "id", "unread", "evicted", "evicted_unread"]);
    expect(await code.fetch()).not.toContain("you sent");
    expect(await desktop.fetch()).toContain(
      "relay: 1 unread message left the window, which was full (1). Nothing is lost; relay log lists it, and /get 1 in Claude Code brings it.",
    );
  });
});

describe("projects and replies", () => {
  const inside = (project: string) => ({
    name: "claude-code",
    version: "2.1.330",
    env: { CLAUDECODE: "1", CLAUDE_PROJECT_DIR: `/srv/${project}` },
  });

  test("a message from Code names its project, and the answer to it goes there", async () => {
    await using box = sandbox();
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    const [server, web] = [await connect(box, inside("api-server")), await connect(box, inside("web"))];
    expect(await server.call("relay_send", { message: "May I\n rename it?", project: "ignored" })).toMatchObject({
      text: '{"ok":true,"id":1,"unread":1,"evicted":[],"evicted_unread":[],"project":"api-server"}',
    });
    await web.send("from the page");
    const page = await desktop.fetch();
    expect(page).toMatch(/ message 1, code, \S+ \(from project "api-server"\)\n/);
    expect(page).toMatch(/ message 2, code, \S+ \(from project "web"\)\n/);
    expect(await desktop.call("relay_send", { message: "Yes.", reply_to: "1" })).toMatchObject({
      text: '{"ok":true,"id":3,"unread":1,"evicted":[],"evicted_unread":[],"project":"api-server"}',
    });
    expect(await web.fetch()).toBe(
      'relay: nothing new from Desktop.\nrelay: Messages for other projects wait (1 for "api-server"). relay_fetch with project "*" brings them.',
    );
    const answer = await server.fetch();
    expect(answer).toMatch(/\n--- (\w+) message 3, [^\n]+\n--- \1 in reply to 1: May I rename it\?\nYes\.\n--- \1 end/);
  });

  test("a project that nobody saw is no error: the message waits, and the receipt names those that were seen", async () => {
    await using box = sandbox();
    const desktop = await connect(box, { args: ["--client", "desktop"] });
    const toNobody = async () => JSON.parse((await desktop.call("relay_send", { message: "x", project: "Web" })).text);
    expect((await toNobody()).note).toBe(
      "No session of project Web was seen in the last 30 days (nor of any other); the message waits for one.",
    );
    await (await connect(box, inside("api-server"))).send("hello");
    expect(await toNobody()).toMatchObject({
      project: "Web",
      seen_projects: ["api-server"],
      note: "No session of project Web was seen in the last 30 days (seen were api-server); the message waits for one.",
    });
    const web = await connect(box, inside("web"));
    expect(textsOf(await web.fetch())).toEqual(["x", "x"]);
  });

  test("a receipt names at most 20 projects, those of the latest sessions", async () => {
    await using box = sandbox();
    for (let n = 1; n <= 21; n++) await box.relay(["send", "--to", "desktop", "--project", `folder ${n}`, "x"]);
    const toNobody = await box.relay(["send", "--to", "code", "--project", "Web", "--json", "x"]);
    const { seen_projects } = JSON.parse(toNobody.stdout);
    expect([seen_projects.length, seen_projects[0]]).toEqual([20, "folder 21"]);
    const toFirst = await box.relay(["send", "--to", "code", "--project", "Folder 1", "--json", "x"]);
    expect(JSON.parse(toFirst.stdout).seen_projects).toBeUndefined();
  });
});

describe("relay_clear", () => {
  test("deletes everything, counts the unread, and the other side's next page says so", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    for (let n = 1; n <= 3; n++) await desktop.send(`${n}`);
    await code.send("4");
    await code.fetch({ limit: 1 });
    await until("the mark", async () => (await waits(box)).code === 2);
    expect((await desktop.call("relay_clear")).text).toBe(
      '{"ok":true,"deleted":4,"deleted_unread":3,"deleted_history":0}',
    );
    expect(await code.fetch()).toBe(
      ["relay: nothing new from Desktop.", "relay: 2 unread messages were cleared by Desktop."].join("\n"),
    );
    expect(await code.fetch()).toBe("relay: nothing new from Desktop.");
    expect(await desktop.fetch()).toBe("relay: nothing new from Code.");
    expect((await code.call("relay_clear")).text).toBe(
      '{"ok":true,"deleted":0,"deleted_unread":0,"deleted_history":0}',
    );
  });
});

describe("the prompt get", () => {
  test("does what a fetch does, and is not offered to Claude Code", async () => {
    await using box = sandbox();
    const { desktop, code } = await connectBoth(box);
    await code.send("the answer, @~/x");
    expect((await desktop.client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["get"]);
    const got = await desktop.client.getPrompt({ name: "get" });
    expect(got.messages.map(({ role }) => role)).toEqual(["user"]);
    const [text = ""] = got.messages.map(({ content }) => (content.type === "text" ? content.text : ""));
    expect(textsOf(text)).toEqual(["the answer, \u2060@~/x"]);
    expect(text).toContain("Asked for with the prompt get.");
    expect(text).toContain("(1 mark defused with U+2060)");
    expect(await desktop.fetch()).toBe("relay: nothing new from Code.");

    await desktop.send("not for a prompt");
    expect((await code.client.listPrompts()).prompts).toEqual([]);
    expect(code.client.getPrompt({ name: "get" })).rejects.toThrow("there is no prompt");
  });
});

describe("the protocol", () => {
  const nothing = { content: [{ text: "relay: nothing new from Code." }] };
  test.each([
    ["nothing", undefined],
    ["nulls", { protocolVersion: null, capabilities: null, clientInfo: null, _meta: null }],
    ["odd fields", { protocolVersion: 1, capabilities: [], clientInfo: { name: "x", version: 2, icons: "y" } }],
    ["no clientInfo", { protocolVersion: "2025-11-25", capabilities: { roots: null } }],
  ])("a hand-made initialize with %s begins a session, in which null is absent everywhere", async (_name, params) => {
    await using box = sandbox();
    const server = startServer(box, { args: ["--client", "desktop"] });
    server.send({ id: 1, method: "initialize", params, result: null });
    const result = { protocolVersion: "2025-11-25", serverInfo: { name: "relay" } };
    expect(await server.answer(1)).toMatchObject({ result });
    server.send({ id: null, method: "notifications/initialized", params: null });
    server.send({ id: 2, method: "tools/list", params: { cursor: null, _meta: { progressToken: null } } });
    expect(await server.answer(2)).toMatchObject({ result: { tools: [{ name: "relay_send" }, {}, {}] } });
    server.send({ id: 3, method: "tools/call", params: { name: "relay_fetch", arguments: null, _meta: null } });
    expect(await server.answer(3)).toMatchObject({ result: nothing });
    expect(server.lines).toHaveLength(3);
  });

  test("a response is never answered, right or wrong; a line that is no message is, with the id null", async () => {
    await using box = sandbox();
    const server = await startSession(box);
    const error = { code: -32601, message: "Method not found" };
    const responses = [{ result: {} }, { result: null }, { error }, { error: "x", method: null }, { result: 1, error }];
    for (const id of [9, "a", null, undefined, {}]) for (const response of responses) server.send({ id, ...response });
    server.write(`${JSON.stringify(responses.map((response) => ({ jsonrpc: "2.0", id: 9, ...response })))}\n`);
    const odd = '{"jsonrpc":"2.0","id":null,"method":{"toString":1}}';
    const wrong = ['{"jsonrpc":"2.0","id":null,"method":"ping"}', "[]", "5", "{}", "no JSON", odd];
    server.write(`${wrong.join("\n")}\n`);
    server.send({ id: 7, method: "ping" });
    await server.answer(7);
    const answers = server.lines.filter(({ id }) => id !== 0 && id !== 7);
    expect(answers).toEqual(wrong.map(() => ({ jsonrpc: "2.0", id: null, error: expect.any(Object) })));
  });

  test("an unknown tool is an error, an unknown method too", async () => {
    await using box = sandbox();
    const server = await startSession(box);
    server.send(toolCall(2, "relay_read"));
    expect(await server.answer(2)).toMatchObject({ error: { code: -32602 } });
    server.send({ id: 3, method: "server/discover", params: {} });
    expect(await server.answer(3)).toMatchObject({ error: { code: -32601 } });
    server.send({ id: 4, method: "resources/list", params: {} });
    expect(await server.answer(4)).toMatchObject({ error: { code: -32601 } });
  });

  test("parameters that relay does not use are ignored, and wrong ones are named in one sentence", async () => {
    await using box = sandbox();
    const server = await startSession(box);
    const call = (args: unknown) => ["tools/call", { name: "relay_send", arguments: args }] as const;
    const rows: [request: readonly [method: string, params?: unknown], answer: object][] = [
      [["initialize", []], { error: { code: -32600, message: expect.stringMatching(/^this is not .* no batch/) } }],
      [["tools/list", { cursor: 5 }], { result: { tools: expect.any(Array) } }],
      [["prompts/get", { name: "get", arguments: { limit: 3 } }], { result: { messages: [{}] } }],
      [["tools/call"], { error: { code: -32602, message: expect.stringContaining("there is no tool undefined.") } }],
      [
        call(["x"]),
        { result: { isError: true, content: [{ text: expect.stringMatching(/arguments is .* object\./) }] } },
      ],
      [call('{"message":"x"}'), { result: { isError: true, content: [{ text: expect.stringMatching(/object\./) }] } }],
      [call(""), { result: { isError: true, content: [{ text: expect.stringContaining("message is missing.") }] } }],
    ];
    for (const [n, [[method, params], answer]] of rows.entries()) {
      server.send({ id: n + 1, method, params });
      expect(await server.answer(n + 1)).toMatchObject(answer);
    }
    // a notification gets no answer
    server.send({ method: "notifications/cancelled", params: { requestId: {} } });
    server.send({ id: 100, method: "ping", params: { surplus: 1 } });
    expect(await server.answer(100)).toEqual({ jsonrpc: "2.0", id: 100, result: {} });
    expect(server.lines).toHaveLength(rows.length + 2);
  });
});
