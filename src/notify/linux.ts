import type { Notification } from "../core/notifier.ts";
import { pickVariables, type System } from "../platform/system.ts";
import type { Plan } from "./toast.ts";

// notify-send may wait a minute and more for its daemon (facts.md).
const limitMilliseconds = 3_000;

const daemon = ["org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.Notifications"];

// The name of a new message's sound in freedesktop's sound naming specification.
const defaultSound = "message-new-instant";

const soundFolder = "/usr/share/sounds/freedesktop/stereo";

// With these variables, programs find the person's session and screen.
const passedOn = [
  "HOME",
  "LANG",
  "LC_ALL",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
];

/** A desktop notification through `notify-send`, else through `busctl`; `null` if neither is installed. */
export function linuxPlan({ title, body, sound }: Notification, system: System): Plan | null {
  const name = sound === "default" ? defaultSound : sound;
  const markup = escapeMarkup(body); // the title is shown as it is (Desktop Notifications Specification)
  const busctl = system.findSystem("busctl");
  const argv = notifySend(title, markup, name, system) ?? (busctl && notifyCall(busctl, title, markup, name));
  if (!argv) return null;
  const env = sessionEnvironment(system);
  const play = name && player(name, system);
  const ask = busctl && call(busctl, "GetCapabilities");
  return {
    toast: { argv, env },
    ...(play && ask && { sound: { ask: { argv: ask, env }, capability: '"sound"', play: { argv: play, env } } }),
    folder: "/",
    limitMilliseconds,
  };
}

// notify-send reads backslash escapes in the body (g_strcompress), but not in the title.
function notifySend(title: string, markup: string, sound: string | null, { findSystem }: System): string[] | null {
  const program = findSystem("notify-send");
  if (!program) return null;
  const hint = sound ? [`--hint=string:sound-name:${sound}`] : [];
  return [program, "--app-name=relay", ...hint, "--", title, markup.replaceAll("\\", "\\\\")];
}

// Application, no notification to replace, no icon, the texts, no actions, hints, the daemon's default duration.
function notifyCall(busctl: string, title: string, markup: string, sound: string | null): string[] {
  const hints = sound ? ["1", "sound-name", "s", sound] : ["0"];
  return call(busctl, "Notify", "susssasa{sv}i", "relay", "0", "", title, markup, "0", ...hints, "-1");
}

function call(busctl: string, method: string, ...rest: string[]): string[] {
  return [busctl, "--user", `--timeout=${limitMilliseconds / 1000}`, "--", "call", ...daemon, method, ...rest];
}

function player(name: string, { findSystem, exists }: System): string[] | null {
  const canberra = findSystem("canberra-gtk-play");
  if (canberra) return [canberra, `--id=${name}`];
  const file = `${soundFolder}/${name}.oga`;
  const program = findSystem("pw-play") ?? findSystem("paplay");
  return program && exists(file) ? [program, file] : null;
}

// The SDK's client starts servers without the bus address, though there is a bus (facts.md, "MCP SDK").
function sessionEnvironment({ user, variables }: System): Record<string, string> {
  const runtime = variables.XDG_RUNTIME_DIR || `/run/user/${user}`;
  return {
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus`,
    ...pickVariables(variables, passedOn),
  };
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
