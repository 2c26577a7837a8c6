import { stripVTControlCharacters } from "node:util";
import { type ArgsDef, type CommandMeta, renderUsage } from "citty";
import type { Command, Verbs } from "./command.ts";

/** What `relay --help` prints. */
export async function renderOverview(verbs: Verbs): Promise<string> {
  const { serve } = verbs;
  const args = {
    ...(serve?.args as ArgsDef),
    version: { type: "boolean", description: "Print the version" },
  } as const;
  const meta = { name: "relay", description: "Moves messages between Claude Desktop and Claude Code" };
  return plain(await renderUsage({ meta, args, subCommands: verbs }));
}

/** What `relay VERB --help` prints. */
export async function renderCommand(command: Command): Promise<string> {
  const meta = command.meta as CommandMeta;
  return plain(await renderUsage({ ...command, meta: { ...meta, name: `relay ${meta.name}` } }));
}

// citty colours by its own lights, also into a pipe, and fills its columns with spaces
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/ +$/gm, "").trimEnd();
}
