import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { claude, openLab } from "../support/claude-lab.ts";
import { connect } from "../support/peer.ts";
import { plainRows, png } from "../support/pictures.ts";
import { sandbox } from "../support/sandbox.ts";
import { type ChatLine, columns, type Frame, renderFilm } from "./reel.ts";

const plan = `Plan: read the configuration once, at start-up.

1. Load it in main and pass it down.
2. Delete the second read in server.ts.
3. Tell me what broke.`;
const answer = "Built as planned. One test had to change: it relied on reading it twice.";
const report =
  "A plan came from Desktop: read the configuration once. Built as planned; one test had to change. I told Desktop why.";

const chat: ChatLine[] = [
  { from: "you", text: "Send this plan and the sketch to Code." },
  { from: "claude", text: "Sent. It waits there as message 1." },
  { from: "you", text: "get" },
  {
    from: "claude",
    text: "Two messages from Code. It built the plan; one test had to change. You add: merge it when CI is green.",
  },
];

/** Plays the story with the real Claude Code and a scripted model, and answers it as a film. Desktop is the SDK's client. */
export async function shoot(): Promise<string> {
  if (!claude) throw new Error("Claude Code is missing. Run: npm run lab");
  await using box = sandbox();
  const summaryRead = Promise.withResolvers<void>(); // the model answers when the film has shown the summary
  const replies = [
    { after: summaryRead.promise, call: { name: "mcp__relay__relay_send", input: { message: answer } } },
    { text: report },
  ];
  const lab = openLab(box, { size: [columns, 23], folder: "api-server", prompt: "/get", replies });
  const desktop = await connect(box, { args: ["--client", "desktop", "--allow-files", box.home], name: "claude-ai" });
  const terminal = await lab.terminal(["--permission-mode", "manual"]);

  const frames: Frame[] = [];
  let lines = 0;
  const take = (milliseconds: number) => {
    const screen = terminal.colored().replaceAll("⎿", "└").replaceAll("⏸", "‖"); // few fonts have those
    const last = frames.at(-1);
    if (last?.screen === screen && last.chat === lines) last.milliseconds += milliseconds;
    else frames.push({ screen, chat: lines, milliseconds });
  };
  const say = (milliseconds: number) => {
    lines += 1;
    take(milliseconds);
  };
  /** Waits until the screen shows this and stands still, though a spinner never does; films it for so long. */
  const until = async (text: string, milliseconds: number) => {
    await terminal.shows(text);
    for (let still = 0, count = 0; still < 10 && count < 25; count++) {
      const before = terminal.colored();
      await Bun.sleep(60);
      still = terminal.colored() === before ? still + 1 : 0;
    }
    take(milliseconds);
  };
  const type = async (text: string) => {
    for (const letter of text) {
      terminal.type(letter);
      await Bun.sleep(120);
      take(70);
    }
    await Bun.sleep(500);
    take(400);
    terminal.press("Enter");
  };

  await until("api-server", 800);
  say(1200);
  const sketch = join(box.home, "sketch.png");
  writeFileSync(sketch, png(8, 8, plainRows(8, 8)));
  await desktop.send(plan, { files: [sketch] });
  say(700);
  await until("1 from Desktop", 1800);
  await type("/get");
  await until("sketch.png", 2500);
  summaryRead.resolve();
  await until("I told Desktop why", 4000);
  const still = frames.length - 1;
  await type("/send Merge it when CI is green.");
  await until("sent to Desktop as message 3", 2800);
  say(900);
  await desktop.fetch();
  say(1000);
  await until("Desktop got 2", 4500);
  return renderFilm(frames, chat, still);
}
