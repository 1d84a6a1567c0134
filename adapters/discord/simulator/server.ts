import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";

/** An HTTP server, and every open connection to it. */
export interface LocalServer {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
}

/** Creates a server that does not listen yet. */
export function createLocalServer(): LocalServer {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return { server, sockets };
}

/** Listens on 127.0.0.1; port 0 means any free port. */
export async function listen({ server }: LocalServer, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** The port of a listening server. */
export function portOf({ server }: LocalServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The simulator is not listening");
  return address.port;
}

/** Closes the server and cuts all connections, also those that a fault left hanging in a handshake. */
export async function closeServer({ server, sockets }: LocalServer): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
