import { statSync } from "node:fs";
import { resolve } from "node:path";
import { describeFile } from "../core/attachment.ts";
import { RelayError } from "../core/errors.ts";
import { makeVisible, printableJson } from "../core/escape.ts";
import { refuseInsideClaudeCode } from "../core/identity.ts";
import { missingContent, receivedFiles } from "../core/shown-file.ts";
import { plural } from "../core/words.ts";
import { saveFile } from "../platform/received-files.ts";
import { defineCommand } from "./command.ts";
import { slashCommand } from "./own-commands.ts";
import { findMessage } from "./show.ts";

export const command = defineCommand({
  meta: { name: "save", description: "Save the files of a message" },
  args: {
    id: { type: "positional", required: false, description: "The message's id" },
    to: { type: "string", valueHint: "DIR", description: "The folder for them (the current one if left out)" },
    json: { type: "boolean", description: "Print JSON" },
  },
  async run({ args, data: context }) {
    const { environment } = context;
    refuseInsideClaudeCode("relay save", environment, () => `${slashCommand("get", environment)} ${args.id ?? "ID"}`);
    const folder = resolve(args.to ?? ".");
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw new RelayError("failed", `${folder} is not a folder`, "Create it, or name another one with --to.");
    const { store } = context.relay();
    const { id } = await findMessage("save", args.id, store);
    const files = receivedFiles(await store.readFiles(id));
    if (files.length === 0) throw new RelayError("failed", `message ${id} has no files`);
    const saved = files.map((file) => {
      const { content, ...known } = file;
      const missing = missingContent(file);
      return { ...known, path: content && !missing ? saveFile(folder, { name: file.name, content }) : null, missing };
    });
    const describe = ({ path, missing, ...file }: (typeof saved)[number]) =>
      missing
        ? `not saved: ${describeFile(file)} is ${missing}`
        : `saved ${describeFile({ ...file, name: path ?? "" })}`;
    context.print(
      args.json
        ? printableJson({ ok: true, files: saved })
        : saved.map((file) => `relay: ${makeVisible(describe(file)).text}`).join("\n"),
    );
    const lost = saved.filter(({ path }) => path === null).length;
    if (lost > 0) throw new RelayError("failed", `${plural(lost, "file")} of message ${id} could not be saved`);
  },
});
