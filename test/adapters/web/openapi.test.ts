import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createWeb } from "../../../adapters/web/index.ts";
import { startServer } from "../../../src/program/server.ts";
import { openStore } from "../../../src/store/store.ts";
import { openRecordStore } from "../../../src/program/web-chat.ts";
import { captureLog } from "../../support/log.ts";

interface Document {
  readonly paths: Record<string, Record<string, { readonly security: readonly object[] }>>;
}

test("docs/openapi.json is what the program serves; `npx vitest run test/adapters/web/openapi -u` writes it", async () => {
  const store = await openStore("memory:");
  const { log } = captureLog();
  const conversations = {
    chosen: async () => ({}),
    spent: async () => ({ input: 0, output: 0 }),
    export: async () => "",
    usage: async () => [],
  };
  const adapter = createWeb({
    recordStore: await openRecordStore(store),
    personas: [],
    models: [],
    currency: "$",
    conversations,
    log,
  });
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [adapter], health: () => ({}) });
  onTestFinished(() => server.close());
  const served = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as Document;
  const paths = Object.keys(served.paths);
  for (const path of [
    "/api/session",
    "/api/events",
    "/api/conversations/{thread}/messages",
    "/v1/chat/completions",
  ])
    expect(paths).toContain(path);
  const file = join(import.meta.dirname, "../../../docs/openapi.json");
  await expect(`${JSON.stringify(served, undefined, 2)}\n`).toMatchFileSnapshot(file);
  // All of it is there, and nothing of it for strangers but what is said to be.
  for (const [path, methods] of Object.entries(served.paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const { status } = await fetch(`${server.url}${path.replace(/\{\w+\}/g, "1")}`, {
        method: method.toUpperCase(),
      });
      if (security.length > 0) expect([method, path, status]).toEqual([method, path, 401]);
      else expect([200, 204, 400]).toContain(status);
    }
  }
});
