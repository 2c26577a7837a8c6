/** Work that is done one after the other. */
export interface Queue {
  /**
   * Runs `work` when it is its turn, and answers what it answered. First come, first served; but what is `urgent` goes
   * before whatever is not and still waits. After each of them the event loop turns, so that however many there are,
   * nothing else is kept waiting.
   */
  run<T>(work: () => Promise<T>, urgent?: boolean): Promise<T>;
}

/** A queue in which nothing waits. */
export function createQueue(): Queue {
  const urgently: (() => Promise<void>)[] = [];
  const usually: (() => Promise<void>)[] = [];
  let running = false;

  const drain = async () => {
    running = true;
    for (let next = take(); next; next = take()) {
      await next();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    running = false;
  };
  const take = () => urgently.shift() ?? usually.shift();

  return {
    run: (work, urgent = false) =>
      new Promise((resolve, reject) => {
        (urgent ? urgently : usually).push(async () => {
          try {
            resolve(await work());
          } catch (error) {
            reject(error);
          }
        });
        if (!running) void drain();
      }),
  };
}
