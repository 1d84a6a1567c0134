import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createWeb } from "../../../adapters/web/index.ts";
import { startServer } from "../../../src/server.ts";
import { openStore } from "../../../src/store.ts";
import { openShelf } from "../../../src/web.ts";
import { captureLog } from "../../support/log.ts";

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
    shelf: await openShelf(store),
    personas: [],
    models: [],
    currency: "$",
    conversations,
    log,
  });
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [adapter], troubles: () => ({}) });
  onTestFinished(() => server.close());
  const served = await (await fetch(`${server.url}/api/openapi.json`)).json();
  expect(Object.keys((served as { paths: object }).paths)).toContain("/api/conversations/{thread}/messages");
  const file = join(import.meta.dirname, "../../../docs/openapi.json");
  await expect(`${JSON.stringify(served, undefined, 2)}\n`).toMatchFileSnapshot(file);
});
