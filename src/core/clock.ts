/** Where relay takes the time from, so that rules about time can be tested. */
export interface Clock {
  /** Milliseconds since 1970. Other processes compare with it; it may jump. */
  now(): number;
  /** Milliseconds since some moment of this process. Never jumps back. */
  elapsed(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => Date.now(), elapsed: () => performance.now() };

/** A moment as the buffer stores it: ISO 8601 in UTC. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
