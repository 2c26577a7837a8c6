import { sentence } from "../errors.ts";
import type { System } from "../system.ts";

/** What a person is told. Any text at all, which a notifier makes safe for its system. */
export interface Announcement {
  title: string;
  body: string;
  /** `null` for none, `"default"`, or a name that the system may know. */
  sound: string | null;
}

/** An announcement under way. Neither promise rejects. */
interface Showing {
  /** Resolves to `null` once the system took the announcement, or to the reason why it did not. */
  shown: Promise<string | null>;
  /** Resolves when nothing of it runs any more. */
  finished: Promise<void>;
}

/** Shows notifications. */
export interface Notifier {
  /** Shows one. What it starts ends within the system's time limit. */
  show(announcement: Announcement): Showing;
  /** Ends whatever runs. */
  stop(): void;
}

/** An announcement that came to nothing. */
export function notShown(why: string): Showing {
  return { shown: Promise.resolve(why), finished: Promise.resolve() };
}

/** The notifier of this system. Its programs are looked for, and its code is loaded, when there is something to show. */
export function systemNotifier(system: () => System): Notifier {
  let notifier: Notifier | undefined;
  let stopped = false;
  const begin = async (announcement: Announcement): Promise<Showing> => {
    const { createSystemNotifier } = await import("./system.ts");
    if (stopped) return notShown("stopped");
    notifier ??= createSystemNotifier(system());
    return notifier.show(announcement);
  };
  return {
    show(announcement) {
      const begun = begin(announcement).catch((error) => notShown(sentence(error)));
      return { shown: begun.then(({ shown }) => shown), finished: begun.then(({ finished }) => finished) };
    },
    stop() {
      stopped = true;
      notifier?.stop();
    },
  };
}
