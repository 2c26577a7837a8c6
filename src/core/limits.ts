/** The number of messages that the buffer's window keeps. */
export const windowSize = 20;

/** The most messages, bytes of text and days that the history keeps; whichever ends first. */
export const historyMessages = 1_000;
export const historyBytes = 64 * 1024 * 1024;
export const historyDays = 90;

/** The time for which a project counts as in use after a session of it was seen, in days. */
export const projectDays = 30;

/** The largest message, in bytes of UTF-8. */
export const messageBytes = 65_536;

/** The most files of a message. */
export const filesPerMessage = 8;

/** The largest file, in bytes. */
export const fileBytes = 8 * 1024 * 1024;

/** The most bytes of a message's files together. */
export const filesBytes = 16 * 1024 * 1024;

/** The most bytes of files that window and history keep. */
export const keptFileBytes = 64 * 1024 * 1024;

/** The most text on a page of several messages, in bytes. */
export const pageBytes = 65_536;

/** The most pictures on a page, which share its size: as many as a message has files. */
export const picturesPerPage = 8;

/** The most characters of a page through `/get`: Claude Code takes 30,000 from an inline command (facts.md). */
export const typedPageCharacters = 28_000;

/** The length of a lease, in milliseconds. After it the messages are offered again. */
export const leaseMs = 5_000;

/** The longest wait for a lock that another process holds, in milliseconds. */
export const lockMs = 5_000;

/** The time after a notification in which its reader gets no other, in milliseconds. */
export const cooldownMs = 2_000;

/** The time between two looks of a server for unannounced messages, in milliseconds. */
export const lookMs = 2_000;

/** The length of a notification's lease, in milliseconds. After it another process tries. */
export const notificationLeaseMs = 20_000;

/** The most attempts to announce a message. */
export const notificationAttempts = 2;

/**
 * The time for which a registered server counts as running, in milliseconds, unless its process is gone: another program
 * may get the process number of a killed server.
 */
export const serverSeenMs = 600_000;

/** The life of a ticket, in milliseconds. */
export const ticketMs = 5_000;

/** The time after a refused `relay typed` in which its session gets no ticket, in milliseconds. */
export const refusalMs = 10_000;
