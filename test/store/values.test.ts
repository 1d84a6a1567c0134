import { join } from "node:path";
import { expect, test } from "vitest";
import { createValueStore } from "../../src/store/values.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";

test("a text is there again after the end, under its name", async () => {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const store = await openStore(url);
  const first = createValueStore(store);
  expect(await first.at("a").load()).toBeUndefined();
  await first.at("a").save("one");
  await first.at("b").save("two");
  await store.close();
  const again = await openStore(url);
  const second = createValueStore(again);
  expect([await second.at("a").load(), await second.at("b").load()]).toEqual(["one", "two"]);
  await again.close();
});
