/** How many messages the buffer keeps. */
export const windowSize = 20;

/** How many bytes of text a page holds at the most, its first message aside. */
export const pageBytes = 65_536;

/** How long a claim stands unconfirmed, in milliseconds, before its messages are offered again. */
export const claimMilliseconds = 5_000;

/** How long a method waits for a lock that another process holds, in milliseconds. */
export const lockMilliseconds = 5_000;

/** How long after an announcement a reader is left in peace, in milliseconds: what arrives meanwhile is announced together. */
export const foldMilliseconds = 2_000;

/** How long an announcement may take, in milliseconds, before another process makes it good. */
export const leaseMilliseconds = 20_000;

/** How often a message is tried to be announced at the most. */
export const announcementTries = 2;

/** How long a ticket is good for, in milliseconds. */
export const ticketMilliseconds = 30_000;
