import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { type ClaudeApi, type Reply, startClaudeApi } from "./claude-api.ts";
import { readLines } from "./lines.ts";
import { type Outcome, relayBinary, type Sandbox, until } from "./sandbox.ts";

const lab = join(import.meta.dir, "../../.lab");

/** The real Claude Code, where `npm run lab` installed it; `null` elsewhere. */
export const claude = (() => {
  if (!existsSync(lab)) return null;
  const [found] = new Glob("node_modules/@anthropic-ai/claude-code-*/claude").scanSync({
    cwd: lab,
    dot: true,
  });
  return found ? join(lab, found) : null;
})();

/** How to start an old Claude Code, where `npm run lab` installed it; `null` elsewhere. */
export function oldClaude(version: "2.1.100" | "2.1.126"): string[] | null {
  const folder = join(lab, "node_modules", `claude-${version}`);
  if (existsSync(join(folder, "cli.js"))) return ["node", join(folder, "cli.js")];
  if (!existsSync(folder)) return null;
  const [found] = new Glob("node_modules/@anthropic-ai/claude-code-*/claude").scanSync({ cwd: folder, dot: true });
  return found ? [join(folder, found)] : null;
}

/** Whether its terminal UI can be driven, too. */
export const hasTerminal = claude !== null && Bun.which("tmux") !== null;

/** How relay comes to Claude Code: by setup, by the plugin of this checkout, or by a plugin from a marketplace. */
export type Wiring = "setup" | "plugin" | "marketplace";

/** The plugin's folder in this checkout. */
export const pluginFolder = join(import.meta.dir, "../../build/plugin");

/** The name under which Claude Code knows a tool or a prompt of relay. */
export function relayTool(wiring: Wiring, name = ""): string {
  return `${wiring === "setup" ? "mcp__relay" : "mcp__plugin_relay_relay"}${name && `__${name}`}`;
}

/** How a Claude Code is set up before it starts. */
export interface LabOptions {
  /** `"setup"` if left out. */
  wiring?: Wiring;
  replies: Reply[];
  /** Words of the first prompt, which no session that the model starts has. */
  prompt: string;
  /** Rules for permissions besides relay's own. */
  allow?: string[];
  /** Other files: of the home folder, or with a path that begins with `project/`. */
  files?: Record<string, string>;
  /** More arguments for setup. */
  setup?: string[];
  /** Another program of Claude Code to start. */
  program?: string[];
  /** The folder of the project, below the home folder; `project` if left out. */
  folder?: string;
  /** Folders of other projects, below the home folder. */
  others?: string[];
  /** Variables of the shell that it is set up and started from. */
  variables?: Record<string, string>;
  /** Columns and lines of its terminal; `[150, 50]` if left out. */
  size?: [columns: number, lines: number];
  /** The number of another user to run it all. */
  user?: number;
}

/** A home folder with relay set up in Claude Code, a project, and a scripted model. */
export interface ClaudeLab {
  api: ClaudeApi;
  /** Runs `claude` without its terminal UI. */
  headless(prompt: string, args?: string[]): Promise<Outcome>;
  /** Runs `claude` as a program on its SDK does, with a yes to every question. */
  hosted(prompt: string): Promise<void>;
  /** Opens its terminal UI in the project, or in another folder below the home folder, and waits until it takes input. */
  terminal(args?: string[], folder?: string): Promise<ClaudeTerminal>;
}

/** The terminal UI, with a person at it. */
interface ClaudeTerminal {
  /** Types a line and presses Enter. */
  enter(text: string): Promise<void>;
  type(text: string): void;
  press(key: string): void;
  /** Says Yes to the question whether a tool may be used, once it is asked. */
  yes(): Promise<void>;
  screen(): string;
  /** The screen with the escape sequences of its colours. */
  colored(): string;
  /** Waits until the screen shows this. */
  shows(text: string | RegExp): Promise<void>;
}

/** Sets everything up in the sandbox. The model's API ends with it. */
export function openLab(box: Sandbox, options: LabOptions): ClaudeLab {
  const { wiring = "setup", replies, prompt, allow = [], files = {}, variables = {}, user } = options;
  const { setup = [], program: started = [claude ?? ""], folder = "project", others = [], size = [150, 50] } = options;
  const api = startClaudeApi(prompt, replies);
  box.defer(api.stop);
  const project = join(box.home, folder);
  const put = (path: string, content: string | object) => {
    const file = join(box.home, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  };
  mkdirSync(project);
  put(".claude.json", {
    hasCompletedOnboarding: true,
    lastOnboardingVersion: "2.1.330",
    theme: "dark",
    numStartups: 5,
    bypassPermissionsModeAccepted: true,
    customApiKeyResponses: { approved: ["dummy"], rejected: [] },
    projects: Object.fromEntries(
      [folder, ...others].map((name) => [
        join(box.home, name),
        { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true, projectOnboardingSeenCount: 4 },
      ]),
    ),
  });
  if (allow.length > 0) put(".claude/settings.json", { permissions: { allow } });
  symlinkSync(relayBinary, join(box.programs, "relay"));
  symlinkSync(claude ?? "", join(box.programs, "claude"));
  if (wiring === "setup") {
    const { exitCode, stderr } = Bun.spawnSync([relayBinary, "setup-code", "--statusline", ...setup], {
      env: { ...box.env, ...variables },
      cwd: box.home,
    });
    if (exitCode !== 0) throw new Error(`setup-code: ${stderr}`);
  }
  for (const [path, text] of Object.entries(files)) put(path, text);
  const env = {
    ...box.env,
    ...variables,
    TERM: "xterm-256color",
    SHELL: "/bin/bash",
    USER: "lab",
    ANTHROPIC_API_KEY: "dummy",
    ANTHROPIC_BASE_URL: api.url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
  };
  const as = user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
  if (user !== undefined) {
    chmodSync(box.programs, 0o755);
    Bun.spawnSync(["chown", "-R", `${user}:${user}`, box.home]);
  }
  const program = [...as, ...started, ...(wiring === "plugin" ? ["--plugin-dir", pluginFolder] : [])];
  return {
    api,
    headless: (text, args = []) => box.run([...program, "-p", text, ...args], { env, cwd: project, stdin: "" }),
    async hosted(content) {
      const streams = "--input-format stream-json --output-format stream-json --verbose --permission-prompt-tool stdio";
      const argv = [...program, "-p", ...streams.split(" ")];
      const child = Bun.spawn(argv, { env, cwd: project, stdin: "pipe", stdout: "pipe", stderr: "ignore" });
      const say = (line: object) => child.stdin.write(`${JSON.stringify(line)}\n`);
      say({ type: "user", message: { role: "user", content } });
      for await (const line of readLines(child.stdout)) {
        const { type, request_id, request } = JSON.parse(line);
        const response = {
          subtype: "success",
          request_id,
          response: { behavior: "allow", updatedInput: request?.input },
        };
        if (type === "control_request") say({ type: "control_response", response });
        if (type === "result") await child.stdin.end();
      }
    },
    terminal: (args = [], other = folder) => openTerminal(box, [...program, ...args], env, join(box.home, other), size),
  };
}

/** Claude Code's question before it uses a tool. */
export const question = "Do you want to proceed";

async function openTerminal(
  box: Sandbox,
  argv: string[],
  env: Record<string, string>,
  cwd: string,
  [columns, lines]: [number, number],
): Promise<ClaudeTerminal> {
  const socket = join(box.programs, `tmux-${crypto.randomUUID().slice(0, 8)}`);
  const tmux = (...args: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["tmux", "-S", socket, "-f", "/dev/null", ...args], {
      env: box.env,
    });
    if (exitCode !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout.toString();
  };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const session = `new-session -d -s s -x ${columns} -y ${lines} -c`.split(" ");
  tmux(...session, cwd, "env", "-i", ...variables, ...argv);
  box.defer(() => {
    try {
      tmux("kill-server");
    } catch {} // it ended by itself
  });
  const screen = () => tmux("capture-pane", "-p", "-t", "s");
  const terminal: ClaudeTerminal = {
    screen,
    colored: () => tmux("capture-pane", "-e", "-p", "-t", "s"),
    type: (text) => void tmux("send-keys", "-t", "s", "-l", text),
    press: (key) => void tmux("send-keys", "-t", "s", key),
    async yes() {
      await terminal.shows(question);
      // it takes no answer in the first moment
      await until(
        "the question to be answered",
        async () => {
          await Bun.sleep(700);
          if (screen().includes(question)) terminal.press("Enter");
          return !screen().includes(question);
        },
        30_000,
      );
    },
    async enter(text) {
      terminal.type(text);
      await until(`"${text}" to be typed`, () => screen().includes(text));
      // the menu of commands, a moment later, completes what is not yet the name that it has chosen
      if (/^\/\S+$/.test(text))
        await terminal.shows(new RegExp(`❯ /(?:\\S+:)?${RegExp.escape(text.slice(1))}(?: \\(.*\\))? {2,}\\S`));
      terminal.press("Enter");
    },
    async shows(text) {
      try {
        await until(`"${text}" on the screen`, () => screen().search(text) >= 0, 30_000);
      } catch (error) {
        throw new Error(`${error}, but:\n${screen()}`);
      }
    },
  };
  await terminal.shows(/for shortcuts|mode on/);
  return terminal;
}
