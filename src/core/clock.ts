/** The port for the time. */
export interface Clock {
  /** Milliseconds since 1970, the same for all processes. May jump. */
  now(): number;
  /** Milliseconds since an arbitrary moment. Never jumps back. */
  elapsed(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => Date.now(), elapsed: () => performance.now() };

/** A moment as the buffer stores it: ISO 8601 in UTC. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
