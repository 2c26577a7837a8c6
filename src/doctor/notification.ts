import { type Check, fail, ok } from "./check.ts";

/** A real notification, if one is wanted. Whether it appeared, only the person can say. */
export const checkNotification: Check = async ({ notifier }) => {
  if (!notifier) return [];
  const body = "This is relay's test notification. If you can read it, notifications work.";
  const { shown, finished } = notifier.show({ title: "relay", body, sound: "default" });
  const why = await shown;
  await finished;
  if (why === null)
    return [ok("notification", "one was shown just now; nothing appeared? See the README, Notifications")];
  return [
    fail(
      "notification",
      `none could be shown: ${why}`,
      "See the README, Notifications: what your system needs.",
    ),
  ];
};
