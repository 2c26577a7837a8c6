import type { Program } from "../platform/process.ts";

/** The programs of one notification. */
export interface Plan {
  /** Shows the notification, and then exits with 0. */
  toast: Program;
  /** A text that it prints then, if its exit status alone proves nothing. */
  proof?: string;
  /** A sound, for a system that may play none with the toast. */
  sound?: {
    /** Prints the system's capabilities. */
    ask: Program;
    /** The capability of a system that has played the sound already. */
    capability: string;
    play: Program;
  };
  /** The working directory, which other users cannot write. */
  folder: string;
  /** The longest time for all programs together. */
  limitMilliseconds: number;
}
