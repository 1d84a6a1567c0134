import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError, StoreError } from "../src/errors.ts";
import { openStore } from "../src/store.ts";
import { temporaryFolder } from "./support/folder.ts";

test("SQLite writes ahead, so that others can read meanwhile", async () => {
  const path = join(temporaryFolder(), "s.sqlite");
  const store = await openStore(`sqlite:${path}`);
  const keyv = await store.open("history");
  await keyv.set("a", 1);
  const rows = await (keyv.store as { query(sql: string): Promise<unknown[]> }).query("PRAGMA journal_mode");
  expect(rows).toEqual([{ journal_mode: "wal" }]);
  await store.close();
});

test("names do not see each other's entries", async () => {
  const store = await openStore(`sqlite:${join(temporaryFolder(), "s.sqlite")}`);
  const [one, two] = [await store.open("history"), await store.open("queue")];
  await one.set("key", "one");
  await two.set("key", "two");
  const seen: unknown[] = [];
  for await (const entry of two.iterator?.({}) ?? []) seen.push(entry);
  expect(seen).toEqual([["key", "two"]]);
  expect(await one.get("key")).toBe("one");
  await store.close();
});

test("a full or damaged disk is an error, and not silence", async () => {
  const path = join(temporaryFolder(), "s.sqlite");
  writeFileSync(
    path,
    "this is not a database, but it is long enough to look like one to a careless reader".repeat(50),
  );
  await expect(openStore(`sqlite:${path}`)).rejects.toThrow(StoreError);
});

test("a folder that cannot be made is told with its path", async () => {
  const error = await openStore("sqlite:/dev/null/x.sqlite").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreError);
  expect(String(error)).toContain("/dev/null/x.sqlite");
  expect(String(error)).toContain("STORE_URL");
});

test.each(["redis://x", "nonsense", "sqlite:", "postgres://ann:geheim99@db/x"])(
  "%s is refused",
  async (url) => {
    const error = await openStore(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).not.toContain("geheim99");
  },
);

test("several processes can write to one file", async () => {
  const path = join(temporaryFolder(), "s.sqlite");
  const store = await openStore(`sqlite:${path}`);
  const keyv = await store.open("history");
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, "../dist/src/store.js"))};
    const store = await openStore("sqlite:${path}");
    const keyv = await store.open("history");
    for (let i = 0; i < 100; i += 1) await keyv.set("other" + i, i);
    await store.close();`;
  const writes = (async () => {
    for (let index = 0; index < 100; index += 1) await keyv.set(`mine${index}`, index);
  })();
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  await writes;
  expect(child.stderr).toBe("");
  expect(await keyv.get("other99")).toBe(99);
  expect(await keyv.get("mine99")).toBe(99);
  await store.close();
});
