import { errorMessage } from "../core/errors.ts";
import { type Notification, type Notifier, notShown, type Showing } from "../core/notifier.ts";
import type { System } from "../platform/system.ts";

/** The notifier of this system. Loads its code and finds its programs at the first notification. */
export function systemNotifier(system: () => System): Notifier {
  let notifier: Notifier | undefined;
  let stopped = false;
  const start = async (notification: Notification): Promise<Showing> => {
    const { createSystemNotifier } = await import("./programs.ts");
    if (stopped) return notShown("stopped");
    notifier ??= createSystemNotifier(system());
    return notifier.show(notification);
  };
  return {
    show(notification) {
      const showing = start(notification).catch((error) => notShown(errorMessage(error)));
      return { shown: showing.then(({ shown }) => shown), finished: showing.then(({ finished }) => finished) };
    },
    stop() {
      stopped = true;
      notifier?.stop();
    },
  };
}
