/** What may end a server from outside. */
export interface Outside {
  /** Resolves with the name of the first signal that asks to end. */
  signalled: Promise<string>;
  /** The process that started this one. */
  parent: number;
}

/** Watches from now on: a server takes a while to be loaded, and is to end with status 0 meanwhile, too. */
export function watchOutside(): Outside {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  return { signalled: promise, parent: process.ppid };
}
