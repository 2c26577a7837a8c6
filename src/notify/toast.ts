import type { Program } from "../platform/process.ts";

/** How one notification is made. */
export interface Plan {
  /** Exits with 0 once the notification is shown. */
  toast: Program;
  /** What it prints then, if its exit status alone proves nothing. */
  proof?: string;
  /** A sound for a system that may not play one with the toast. */
  sound?: {
    /** Prints what the system can do. */
    ask: Program;
    /** If this is printed, the system has already played the sound. */
    capability: string;
    play: Program;
  };
  /** A folder to run in, which other users cannot write. */
  folder: string;
  /** How long all of it may take. */
  limitMilliseconds: number;
}
