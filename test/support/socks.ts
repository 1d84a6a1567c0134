import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A SOCKS5 proxy (RFC 1928, 1929) that leads where it is told. */
export interface SocksProxy {
  readonly port: number;
  close(): void;
}

export interface SocksOptions {
  /** The port on this machine behind a name; undefined: the proxy does not let through. */
  readonly lead: (to: string, password: string | undefined) => number | undefined;
  /** Whether these may come in; without it nobody is asked. */
  readonly admits?: (password: string) => boolean;
}

/** What it is asked for is always a name: nobody else must have looked it up. */
export async function startSocksProxy({ lead, admits }: SocksOptions): Promise<SocksProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined).on("close", () => sockets.delete(client));
    void serve(client).catch(() => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };

  async function serve(client: Socket): Promise<void> {
    const take = reader(client);
    const [version, count = 0] = await take(2);
    if (version !== 5) return void client.destroy();
    const methods = await take(count);
    let password: string | undefined;
    if (admits) {
      if (!methods.includes(2)) return void client.end(Buffer.from([5, 0xff]));
      client.write(Buffer.from([5, 2]));
      const [, nameLength = 0] = await take(2);
      const name = (await take(nameLength)).toString();
      const [secretLength = 0] = await take(1);
      password = `${name}:${(await take(secretLength)).toString()}`;
      if (!admits(password)) return void client.end(Buffer.from([1, 1]));
      client.write(Buffer.from([1, 0]));
    } else {
      client.write(Buffer.from([5, 0]));
    }
    const [, command, , kind] = await take(4);
    if (command !== 1 || kind !== 3) return void client.end(Buffer.from([5, 8, 0, 1, 0, 0, 0, 0, 0, 0]));
    const [length = 0] = await take(1);
    const host = (await take(length)).toString();
    const port = lead(`${host}:${(await take(2)).readUInt16BE()}`, password);
    if (port === undefined) return void client.end(Buffer.from([5, 4, 0, 1, 0, 0, 0, 0, 0, 0]));
    const upstream = connect(port, "127.0.0.1", () => {
      client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
  }
}

/** Reads a number of bytes, once they have arrived. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
  return async (count) => {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes) return bytes;
      await once(socket, "readable");
      if (socket.readableEnded) throw new Error("over");
    }
  };
}
