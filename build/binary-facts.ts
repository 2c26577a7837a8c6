/** What a binary says of itself, in the terms of `Target`. */
export interface BinaryFacts {
  format: "ELF" | "Mach-O" | "PE";
  cpu: "x64" | "arm64";
  loader: string | null;
  /** As the file names them, in its order; in lower case on Windows. */
  libraries: string[];
  /** Where the file tells the loader to look for libraries besides the system's own folders. */
  searchPaths: string[];
  oldest: string | null;
}
