import type { BinaryFacts } from "./binary-facts.ts";
import { checkAdHocSignature } from "./code-signature.ts";
import { readElf } from "./elf.ts";
import { readMachO } from "./mach-o.ts";
import { readPe } from "./pe.ts";
import type { Target } from "./targets.ts";

const readers: Record<Target["format"], (file: Uint8Array) => BinaryFacts> = {
  ELF: readElf,
  "Mach-O": readMachO,
  PE: readPe,
};

/**
 * Checks that a binary is what its target says: format, CPU, loader, libraries, oldest system, and on macOS a valid
 * ad-hoc signature. Throws with everything that is wrong.
 */
export function checkBinary(file: Uint8Array, target: Target): void {
  const { format, cpu, loader, libraries, oldest } = target;
  const facts = readers[format](file);
  const { searchPaths } = facts;
  const surplus = facts.libraries.filter((library) => !libraries.includes(library));
  const wrong = [
    facts.cpu !== cpu && `it is for ${facts.cpu}, not ${cpu}`,
    facts.loader !== loader && `its loader is ${facts.loader}, not ${loader}`,
    facts.libraries.length === 0 && "it names no libraries",
    surplus.length > 0 && `it needs more of the system: ${surplus.join(", ")}`,
    searchPaths.length > 0 && `it looks for libraries in ${searchPaths.join(", ")}`,
    facts.oldest !== oldest && `the oldest system it runs on is ${facts.oldest}, not ${oldest}`,
  ].filter((sentence) => sentence !== false);
  if (wrong.length > 0) throw new Error(wrong.join("; "));
  if (format === "Mach-O") checkAdHocSignature(file);
}
