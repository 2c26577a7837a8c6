import type { Socket } from "bun";

interface Side {
  other: Socket<Side> | null;
  waiting: Uint8Array[];
}

/** A proxy before a server on this machine. */
export interface CuttingProxy extends Disposable {
  port: number;
  /** Answers after how many more bytes, in both directions, the next connection is cut; infinite is never. */
  budget: () => number;
  /** Passes nothing on, and cuts nothing. */
  isDeaf: boolean;
  /** The bytes that it was given so far. */
  bytes: number;
}

/** Starts a proxy that cuts nothing yet. */
export function startProxy(to: number): CuttingProxy {
  const proxy = { port: 0, budget: () => Number.POSITIVE_INFINITY, isDeaf: false, bytes: 0 };
  const pass = (socket: Socket<Side>, data: Uint8Array, left: { bytes: number }) => {
    proxy.bytes += data.length;
    if (proxy.isDeaf) return;
    const { other } = socket.data;
    if (!other) return void socket.data.waiting.push(Uint8Array.from(data));
    const part = data.subarray(0, Math.max(0, left.bytes));
    left.bytes -= data.length;
    other.write(part);
    if (left.bytes > 0) return;
    other.flush();
    socket.terminate();
    other.terminate();
  };
  const listener = Bun.listen<Side>({
    hostname: "127.0.0.1",
    port: 0,
    data: { other: null, waiting: [] },
    socket: {
      async open(client) {
        client.data = { other: null, waiting: [] };
        const left = { bytes: proxy.budget() };
        (client as { left?: { bytes: number } }).left = left;
        const server = await Bun.connect<Side>({
          hostname: "127.0.0.1",
          port: to,
          data: { other: client, waiting: [] },
          socket: {
            data: (socket, data) => pass(socket, data, left),
            close: () => void client.end(),
          },
        }).catch(() => null);
        if (!server) return void client.terminate();
        client.data.other = server;
        for (const data of client.data.waiting) pass(client, data, left);
      },
      data: (client, data) => pass(client, data, (client as unknown as { left: { bytes: number } }).left),
      close: (client) => void client.data.other?.end(),
      error: () => {},
    },
  });
  return Object.assign(proxy, { port: listener.port, [Symbol.dispose]: () => listener.stop(true) });
}
