/** A notification for a person. Its texts are arbitrary; the notifier makes them safe for its system. */
export interface Notification {
  title: string;
  body: string;
  /** `null` for none, `"default"`, or a name that the system may know. */
  sound: string | null;
}

/** A notification under way. Neither promise rejects. */
export interface Showing {
  /** Resolves to `null` once the system took the notification, or to the reason why it did not. */
  shown: Promise<string | null>;
  /** Resolves when its programs have ended. */
  finished: Promise<void>;
}

/** The port that each system's notifier implements. */
export interface Notifier {
  /** Shows a notification. Its programs end within the system's time limit. */
  show(notification: Notification): Showing;
  /** Ends all running programs. */
  stop(): void;
}

/** A notification that failed. */
export function notShown(reason: string): Showing {
  return { shown: Promise.resolve(reason), finished: Promise.resolve() };
}
