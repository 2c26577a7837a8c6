// A server must end within 5 s of its parent, and announce within 2 s what nobody announced: design.md.
const beatMilliseconds = 2_000;

/** Calls what is to be looked after now and then, all of it in the same moment: each wake-up of a process costs. */
export type Heartbeat = (look: () => void) => void;

/** A heartbeat, which by itself keeps no process alive. */
export function createHeartbeat(): Heartbeat {
  const looks: (() => void)[] = [];
  setInterval(() => {
    for (const look of looks) look();
  }, beatMilliseconds).unref();
  return (look) => void looks.push(look);
}
