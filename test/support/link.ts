import { connect, createServer, type Socket } from "node:net";

/** A TCP way to a server on this machine that can fail. */
export interface Link {
  readonly port: number;
  /** Cuts all connections at once. */
  cut(): void;
  /** Lets nothing through any more, on any connection, and closes none. */
  freeze(): void;
  /** Cuts them, and refuses new ones until `mend`. */
  block(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Opens a link to a port of 127.0.0.1. */
export async function openLink(to: number): Promise<Link> {
  const sockets = new Set<Socket>();
  let blocked = false;
  const server = createServer((near) => {
    if (blocked) return void near.resetAndDestroy();
    const far = connect(to, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay();
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: typeof address === "object" && address ? address.port : 0,
    cut,
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    block: () => {
      blocked = true;
      cut();
    },
    mend: () => {
      blocked = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
