import { createAccounts, createWeb } from "../../../adapters/web/index.ts";
import { startServer } from "../../../src/program/server.ts";
import { openStore } from "../../../src/store/store.ts";
import { openRecordStore } from "../../../src/program/web-chat.ts";
import { describeAdapter } from "../../../src/testing/contracts/adapter.ts";
import { captureLog } from "../../support/log.ts";
import { createWebPeople } from "../../support/web-people.ts";

describeAdapter("web", async () => {
  const store = await openStore("memory:");
  const { log } = captureLog();
  const recordStore = await openRecordStore(store);
  const adapter = createWeb({
    recordStore,
    personas: [],
    models: [],
    currency: "$",
    conversations: {
      chosen: async () => ({}),
      spent: async () => ({ input: 0, output: 0 }),
      export: async () => "",
      usage: async () => [],
    },
    log,
  });
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [adapter], health: () => ({}) });
  const people = createWebPeople(
    () => server.url,
    (name) => createAccounts(recordStore).add(name, "link"),
  );
  return {
    adapter,
    say: (text) => void people.say("ann", text),
    shows: () => [...people.shows("ann")],
    close: async () => {
      people.close();
      await server.close();
      await store.close();
    },
  };
});
