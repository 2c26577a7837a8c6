import { basename } from "node:path";
import type { System } from "../../src/platform/system.ts";

/** A system on which there are just these files, each of which is a program in PATH, too. */
export function systemOf(kind: System["kind"], variables: System["variables"] = {}, programs: string[] = []): System {
  const findAll = (name: string) => programs.filter((path) => basename(path) === name);
  const find = (name: string) => findAll(name)[0] ?? null;
  return {
    kind,
    user: 1000,
    variables,
    find,
    findSystem: find,
    findAll,
    exists: (path) => programs.includes(path),
  };
}
