import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type Keyv from "keyv";
import { describe, expect, test } from "vitest";
import { ConfigError, StoreError } from "../../src/errors.ts";
import { claimStore } from "../../src/store/claim.ts";
import { openStore } from "../../src/store/store.ts";
import { type StoredRecord, upgrade } from "../../src/store/versions.ts";
import { describeStore } from "../../src/testing/contracts/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { until } from "../../src/testing/until.ts";

describeStore("SQLite", async () => {
  const url = `sqlite:${join(temporaryFolder(), "s.sqlite")}`;
  return { open: () => openStore(url), close: async () => undefined };
});

test("SQLite writes ahead, so that others can read meanwhile", async () => {
  const path = join(temporaryFolder(), "s.sqlite");
  const store = await openStore(`sqlite:${path}`);
  const keyv = await store.open("history");
  await keyv.set("a", 1);
  const rows = await (keyv.store as { query(sql: string): Promise<unknown[]> }).query("PRAGMA journal_mode");
  expect(rows).toEqual([{ journal_mode: "wal" }]);
  await store.close();
});

test("a claim is one process's at a time, and in the way of nobody who opens the store", async () => {
  const url = `sqlite:${join(temporaryFolder(), "folder", "s.sqlite")}`;
  const claim = await claimStore(url);
  expect(await claimStore(url)).toBeUndefined();
  await (await openStore(url)).close();
  await claim?.release();
  await claim?.release();
  const next = await claimStore(url);
  expect(next).toBeDefined();
  await next?.release();
});

describe("a damaged file", () => {
  test("is told with its path and what to do", async () => {
    const path = join(temporaryFolder(), "s.sqlite");
    const garbage = "this is no database, but long enough to look like one to a careless reader".repeat(50);
    writeFileSync(path, garbage);
    const error = await openStore(`sqlite:${path}`).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toMatch(/s\.sqlite \(STORE_URL\) is damaged.*put a backup in its place/);
    expect(readFileSync(path, "utf8")).toBe(garbage);
  });

  test("is an error when what is damaged is read, and not silence", async () => {
    const path = join(temporaryFolder(), "s.sqlite");
    const store = await openStore(`sqlite:${path}`);
    const keyv = await store.open("history");
    for (let index = 0; index < 200; index += 1) await keyv.set(`key${index}`, "x".repeat(1000));
    await store.close();
    const file = openSync(path, "r+");
    const { size } = fstatSync(file);
    // All but what is read at the opening.
    writeSync(file, Buffer.alloc(size - 10 * PAGE, 0x5a), 0, size - 10 * PAGE, 10 * PAGE);
    closeSync(file);
    const again = await openStore(`sqlite:${path}`);
    const damaged = await again.open("history");
    const error = await readAll(damaged).catch((reason: unknown) => reason);
    await again.close();
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toMatch(/is damaged/);
  });
});

test("a file that was taken away meanwhile is noticed", async () => {
  const path = join(temporaryFolder(), "s.sqlite");
  const store = await openStore(`sqlite:${path}`);
  await store.check();
  rmSync(path);
  await expect(store.check()).rejects.toThrow(/was deleted or replaced.*restart the program/);
  writeFileSync(path, "");
  await expect(store.check()).rejects.toThrow(StoreError);
  await store.close();
});

describe("versions", () => {
  test("a file of a newer version is refused, and left as it was", async () => {
    const path = join(temporaryFolder(), "s.sqlite");
    const store = await openStore(`sqlite:${path}`);
    await ask(await store.open("history"), "PRAGMA user_version = 99");
    await store.close();
    await expect(openStore(`sqlite:${path}`)).rejects.toThrow(/has version 99.*Run the newer program/);
  });

  test("a file from before there were versions is brought up to date with all that is in it", async () => {
    const path = join(temporaryFolder(), "s.sqlite");
    const store = await openStore(`sqlite:${path}`);
    const keyv = await store.open("history");
    await keyv.set("paper:ann", "kept");
    await ask(keyv, "PRAGMA user_version = 0");
    await store.close();
    const again = await openStore(`sqlite:${path}`);
    const same = await again.open("history");
    expect(await same.get("paper:ann")).toBe("kept");
    expect(await ask(same, "PRAGMA user_version")).toEqual([{ user_version: 1 }]);
    await again.close();
  });

  test("a record is brought from any version to the newest, step by step", () => {
    const steps = [
      ({ name, ...rest }: StoredRecord) => ({ ...rest, names: [name] }),
      (record: StoredRecord) => ({ ...record, count: (record["names"] as unknown[]).length }),
    ];
    const newest = { version: 3, names: ["Ann"], count: 1 };
    expect(upgrade({ name: "Ann" }, steps, "It")).toEqual(newest);
    expect(upgrade({ version: 1, name: "Ann" }, steps, "It")).toEqual(newest);
    expect(upgrade({ version: 2, names: ["Ann"] }, steps, "It")).toEqual(newest);
    expect(upgrade(newest, steps, "It")).toEqual(newest);
    for (const version of [4, 0, 1.5, "2", null]) {
      expect(() => upgrade({ version }, steps, "It")).toThrow(/It has version .* left unchanged/);
    }
  });
});

describe("a backup", () => {
  test("made while others write is whole, and goes on by itself", async () => {
    const folder = temporaryFolder();
    const store = await openStore(`sqlite:${join(folder, "s.sqlite")}`);
    const [queue, history] = [await store.open("queue", { flush: true }), await store.open("history")];
    let writing = true;
    let written = 0;
    const load = (async () => {
      for (; writing; written += 1) {
        await queue.set(`event${written}`, { number: written, text: "x".repeat(2000) });
        await history.set("paper:ann", written);
      }
    })();
    await until(() => written > 50);
    const before = written;
    await store.backup(join(folder, "copy.sqlite"));
    const after = written;
    await until(() => written > after + 20);
    writing = false;
    await load;
    await store.close();

    const copy = await openStore(`sqlite:${join(folder, "copy.sqlite")}`);
    const copied = await copy.open("history");
    expect(await ask(copied, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect(await ask(copied, "PRAGMA user_version")).toEqual([{ user_version: 1 }]);
    const events = (await readAll(await copy.open("queue"))).length;
    expect(events).toBeGreaterThanOrEqual(before);
    expect(events).toBeLessThanOrEqual(after + 1);
    // Of one moment: the history is that of the last event, or of the one before it.
    expect(events - Number(await copied.get("paper:ann"))).toBeLessThanOrEqual(2);
    await copied.set("paper:ann", "goes on");
    expect(await copied.get("paper:ann")).toBe("goes on");
    await copy.close();
  });

  test("never replaces a file", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "copy.sqlite"), "the backup of yesterday");
    const store = await openStore(`sqlite:${join(folder, "s.sqlite")}`);
    await expect(store.backup(join(folder, "copy.sqlite"))).rejects.toThrow(/already exists/);
    await store.close();
    expect(readFileSync(join(folder, "copy.sqlite"), "utf8")).toBe("the backup of yesterday");
  });
});

const PAGE = 4096;

function ask(keyv: Keyv, sql: string): Promise<unknown> {
  return (keyv.store as { query(sql: string): Promise<unknown> }).query(sql);
}

async function readAll(keyv: Keyv): Promise<unknown[]> {
  const entries: unknown[] = [];
  for await (const entry of keyv.iterator?.({}) ?? []) entries.push(entry);
  return entries;
}

test("a folder that cannot be made is told with its path", async () => {
  const error = await openStore("sqlite:/dev/null/x.sqlite").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreError);
  expect(String(error)).toContain("/dev/null/x.sqlite");
  expect(String(error)).toContain("STORE_URL");
});

test.each(["redis://x", "nonsense", "sqlite:", "postgres://ann:geheim99@db"])(
  "%s is refused",
  async (url) => {
    const error = await openStore(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).not.toContain("geheim99");
  },
);

test("several can open a new file at once", async () => {
  for (let round = 0; round < 10; round++) {
    const url = `sqlite:${join(temporaryFolder(), "new.sqlite")}`;
    // Fewer than the threads of a process (four), as each waits in one.
    const stores = await Promise.all(Array.from({ length: 3 }, () => openStore(url)));
    for (const store of stores) {
      await expect(store.check()).resolves.toBeUndefined();
      await store.close();
    }
  }
});

test("several processes can write to one file", async () => {
  const path = join(temporaryFolder(), "s.sqlite");
  const store = await openStore(`sqlite:${path}`);
  const keyv = await store.open("history");
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, "../../dist/src/store/store.js"))};
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
