/** How many messages the buffer keeps. */
export const windowSize = 20;

/** The largest message, in bytes of UTF-8. */
export const messageBytes = 65_536;

/** How many bytes of text a page holds, its first message aside. */
export const pageBytes = 65_536;

/** How many characters a page through `/get` holds: Claude Code passes an inline command 30,000 (facts.md). */
export const typedPageCharacters = 28_000;

/** How long a page may be in flight, in milliseconds, before its messages are offered again. */
export const leaseMs = 5_000;

/** How long a method of the store waits for a lock that another process holds, in milliseconds. */
export const lockMs = 5_000;

/** For how many milliseconds after a notification its reader gets no other. */
export const cooldownMs = 2_000;

/** How often a running server looks for messages that nobody announced, in milliseconds. */
export const lookMs = 2_000;

/** How long a notification may take, in milliseconds, before another process tries. */
export const notificationLeaseMs = 20_000;

/** How many times a message is announced at the most. */
export const notificationAttempts = 2;

/** How long a ticket is valid, in milliseconds. */
export const ticketMs = 30_000;
