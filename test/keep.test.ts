import { join } from "node:path";
import { expect, test } from "vitest";
import { createKeep } from "../src/keep.ts";
import { temporaryFolder } from "./support/folder.ts";

test("a text is there again after the end, under its name", async () => {
  const url = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const first = createKeep(url);
  expect(await first.at("a").load()).toBeUndefined();
  await first.at("a").save("one");
  await first.at("b").save("two");
  await first.close();
  await first.close();
  const second = createKeep(url);
  expect([await second.at("a").load(), await second.at("b").load()]).toEqual(["one", "two"]);
  await second.close();
});

test("a store that cannot be opened is tried again with the next use", async () => {
  const keep = createKeep("sqlite:/dev/null/store.sqlite");
  await expect(keep.at("a").save("one")).rejects.toMatchObject({ name: "StoreError" });
  await expect(keep.at("a").load()).rejects.toMatchObject({ name: "StoreError" });
  await keep.close();
});
