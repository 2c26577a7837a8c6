/** What a person is told. Any text at all, which a notifier makes safe for its system. */
export interface Announcement {
  title: string;
  body: string;
  /** `null` for none, `"default"`, or a name that the system may know. */
  sound: string | null;
}

/** An announcement under way. Neither promise rejects. */
export interface Showing {
  /** Resolves to `null` once the system took the announcement, or to the reason why it did not. */
  shown: Promise<string | null>;
  /** Resolves when nothing of it runs any more. */
  finished: Promise<void>;
}

/** The port that each system's notifier implements. */
export interface Notifier {
  /** Shows one. What it starts ends within the system's time limit. */
  show(announcement: Announcement): Showing;
  /** Ends whatever runs. */
  stop(): void;
}

/** An announcement that came to nothing. */
export function notShown(reason: string): Showing {
  return { shown: Promise.resolve(reason), finished: Promise.resolve() };
}
