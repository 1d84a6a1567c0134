import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { startServer } from "../../src/program/server.ts";
import { createEcho } from "./echo-adapter.ts";

const SECRET = "a-secret-of-echo";

/** The platform's side: a server that accepts messages, and our webhook behind the one HTTP port. */
export async function startEchoPlatform() {
  const shown: string[] = [];
  const platform = createServer(async (request, response) => {
    shown.push(((await json(request)) as { text: string }).text);
    response.end();
  });
  await new Promise<void>((resolve) => platform.listen(0, "127.0.0.1", () => resolve()));
  const { port } = platform.address() as { port: number };
  const adapter = createEcho({ url: `http://127.0.0.1:${port}`, secret: SECRET });
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [adapter], health: () => ({}) });
  let id = 0;
  return {
    adapter,
    /** Ann says something; resolves with the status of the webhook. */
    say: async (text: string, secret = SECRET) => {
      const body = JSON.stringify({ id: String((id += 1)), from: "ann", text });
      const headers = { "x-echo-secret": secret };
      const response = await fetch(`${server.url}/webhooks/echo`, { method: "POST", headers, body });
      return response.status;
    },
    shows: () => [...shown],
    close: async () => {
      await server.close();
      platform.close();
    },
  };
}
