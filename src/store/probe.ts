import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";
import { RelayError } from "../core/errors.ts";
import { openFile } from "./connection.ts";
import { acceptBufferFile, betterPlace, companionsOf, refuseMount } from "./file.ts";
import { recognize } from "./schema.ts";
import { explain, isBusy, isDamage } from "./sqlite-errors.ts";

/**
 * Looks whether there can be a buffer at this path, before anything is promised: recognizes the file that is there, and tries
 * SQLite's locks and writes in a new one beside it, which is removed again. Throws a `buffer` error.
 */
export function probeBuffer(path: string): void {
  const trial = `${path}.trial-${process.pid}`;
  try {
    recognizeFile(path);
    openFile(trial, true)?.db.close();
  } catch (error) {
    const known = isBusy(error) ? noLocks(path) : explain(error, path);
    if (!(known instanceof RelayError)) throw known;
    throw new RelayError(known.kind, known.message.replaceAll(trial, path), known.fix.replaceAll(trial, path));
  } finally {
    removeTrial(trial);
  }
}

function removeTrial(trial: string): void {
  try {
    for (const file of [trial, ...companionsOf(trial)]) rmSync(file, { force: true });
  } catch {} // there is no such folder, and the trial failed with a better sentence
}

// Nobody else knows of the new file, so it is a disk without locks that refuses one, such as NFS without its daemon.
function noLocks(path: string): RelayError {
  return new RelayError("buffer", `the disk of ${path} has no file locks`, `Use another disk: ${betterPlace}.`);
}

function recognizeFile(path: string): void {
  const file = acceptBufferFile(path);
  if (!file) return;
  refuseMount(file);
  try {
    using db = new Database(file, { readonly: true, strict: true });
    recognize(db, path);
  } catch (error) {
    if (error instanceof RelayError || isDamage(error)) throw error; // others write it at the moment
  }
}
