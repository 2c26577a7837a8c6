import type { System } from "../environment.ts";

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

/** The notifier of this system. Its programs are looked for, and its code is loaded, when there is something to show. */
export function systemNotifier(system: () => System): Notifier {
  let loading: Promise<Notifier> | undefined;
  let stopped = false;
  const load = async () => {
    const { createSystemNotifier } = await import("./system.ts");
    return createSystemNotifier(system());
  };
  return {
    show(announcement) {
      loading ??= load();
      const showing = loading.then((notifier) => (stopped ? null : notifier.show(announcement)));
      return {
        shown: showing.then((begun) => begun?.shown ?? "stopped"),
        finished: showing.then((begun) => begun?.finished),
      };
    },
    stop() {
      stopped = true;
      void loading?.then((notifier) => notifier.stop());
    },
  };
}
