import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createKeyedLock } from "../../src/store/keyed-lock.ts";
import { openHistory, emptyConversation } from "../../src/conversation/conversation.ts";
import { ConfigError } from "../../src/errors.ts";
import { writeWhole } from "../../src/exchange/write.ts";
import { claimStore } from "../../src/store/claim.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { until } from "../../src/testing/until.ts";

/** Everything in a folder that others can read, write or enter, such as "data 755". */
function readable(folder: string, path = ""): string[] {
  return readdirSync(join(folder, path)).flatMap((name) => {
    const inner = join(path, name);
    const stat = lstatSync(join(folder, inner));
    const mode = (stat.mode & 0o777).toString(8);
    // The test itself writes `.env`.
    const isOpen = (stat.mode & 0o077) !== 0 && !stat.isSymbolicLink() && name !== ".env";
    return [...(isOpen ? [`${inner} ${mode}`] : []), ...(stat.isDirectory() ? readable(folder, inner) : [])];
  });
}

async function run(words: readonly string[], env: Record<string, string>, input = "") {
  const program = runProgram(words, env);
  program.type(input);
  program.endInput();
  const code = await program.exited;
  return { code, output: program.output(), errors: program.errors(), folder: program.folder };
}

/** A store in `data` of a folder, with a conversation and a lock beside it. */
async function storeIn(folder: string) {
  const path = join(folder, "data/colloquy.sqlite");
  const url = `sqlite:${path}`;
  const store = await openStore(url);
  const messages = [{ role: "user" as const, content: "hello", at: 1 }];
  await (await openHistory(store)).save({ ...emptyConversation("console:ann"), messages });
  const release = await createKeyedLock(store, url)("console:ann");
  await release();
  await store.close();
  return { path, env: { STORE_URL: url } };
}

/** As earlier versions left it. */
function loosen(folder: string): void {
  for (const name of readdirSync(folder)) {
    const inner = join(folder, name);
    if (statSync(inner).isDirectory()) loosen(inner);
    else chmodSync(inner, 0o644);
  }
  chmodSync(folder, 0o755);
}

describe("nobody else can read", () => {
  test("what the program keeps while it runs: store, log, queue, locks", async () => {
    // An empty setting is none: the default store, in a folder that the program makes.
    const program = runProgram(["start"], { STORE_URL: "" });
    await program.ready();
    const data = join(program.folder, "data");
    const beside = runProgram(["chat", "--user", "ann"], { STORE_URL: `sqlite:${data}/colloquy.sqlite` });
    beside.type("hello\n");
    await beside.says("\\S");
    await until(() => existsSync(`${data}/colloquy.sqlite.locks`));
    const names = readdirSync(data);
    for (const name of ["", "-shm", "-wal", ".lock", ".locks"])
      expect(names).toContain(`colloquy.sqlite${name}`);
    expect(names.some((name) => name.includes(".chat-"))).toBe(true);
    expect(readable(program.folder)).toEqual([]);
  });

  test("copies, exports, and what a chat saves", async () => {
    const folder = temporaryFolder();
    const { env } = await storeIn(folder);
    const [article, ...all] = await Promise.all([
      run(["chat", "--article"], env, "ann\nhello\n0\n"),
      run(["backup", join(folder, "copy.sqlite")], env),
      run(["export", join(folder, "all.json"), "--all"], env),
      run(["export", join(folder, "all.md"), "--all"], env),
    ]);
    expect(all.map(({ code, errors }) => `${code}${errors}`)).toEqual(["0", "0", "0"]);
    expect(readdirSync(folder).toSorted()).toEqual(["all.json", "all.md", "copy.sqlite", "data"]);
    expect(existsSync(join(article.folder, "user_messages.json"))).toBe(true);
    expect([...readable(folder), ...readable(article.folder)]).toEqual([]);
  });

  test("what a bot of one's own keeps, though its process makes files for everyone", async () => {
    const folder = temporaryFolder();
    const url = `sqlite:${join(folder, "a/b/store.sqlite")}`;
    const claim = await claimStore(url);
    onTestFinished(() => claim?.release());
    const store = await openStore(url);
    onTestFinished(() => store.close());
    await (await store.open("history")).set("paper:ann", "hello");
    await store.backup(join(folder, "copy.sqlite"));
    expect(readdirSync(join(folder, "a/b"))).toContain("store.sqlite-wal");
    expect(readable(folder)).toEqual([]);
  });
});

describe("what others could read", () => {
  test("is closed to them at the next start, with a line in the log, once", async () => {
    const folder = temporaryFolder();
    const { path, env } = await storeIn(folder);
    loosen(join(folder, "data"));
    expect(readable(folder)).toContain("data/colloquy.sqlite 644");
    const program = runProgram(["start"], env);
    await program.ready();
    expect(readable(folder)).toEqual([]);
    expect(program.output()).toContain(`${folder}/data 0755 → 0700`);
    expect(program.output()).toContain(`${path} 0644 → 0600`);
    expect((await run(["usage"], env)).errors).toBe("");
  });

  test("is closed by every other command too, which says so", async () => {
    const commands = ["backup copy.sqlite", "dead", "ask hello"];
    await Promise.all(
      commands.map(async (words) => {
        const folder = temporaryFolder();
        const { path, env } = await storeIn(folder);
        loosen(join(folder, "data"));
        const { code, errors } = await run(words.split(" "), env);
        expect([words, code]).toEqual([words, 0]);
        expect(errors).toMatch(/^colloquy: other users of this machine could read /);
        expect(errors).toContain(`${path} 0644 → 0600`);
        expect(readable(folder)).toEqual([]);
      }),
    );
  });

  test("stays open where it serves others too, or is no store", async () => {
    const folder = temporaryFolder();
    const notices: string[] = [];
    const look = async (path: string) =>
      (await openStore(`sqlite:${path}`, (sentence) => notices.push(sentence))).close();

    const { path } = await storeIn(folder);
    const measured = join(folder, "data/measured.csv");
    writeFileSync(measured, "1,2");
    loosen(join(folder, "data"));
    symlinkSync(measured, `${path}-link`);
    await look(path);
    expect(readable(folder)).toEqual(["data 755", "data/measured.csv 644"]);
    expect(notices).toEqual([expect.not.stringContaining("measured")]);

    const page = join(folder, "page.html");
    writeFileSync(page, "<p>".repeat(1000));
    await expect(look(page)).rejects.toThrow(/is not a SQLite file/);
    expect(statSync(page).mode & 0o777).toBe(0o644);
  });

  test("stays open where somebody works or all meet: the working directory", async () => {
    const program = runProgram(["ask", "hello"], { STORE_URL: "sqlite:colloquy.sqlite" });
    chmodSync(program.folder, 0o755);
    program.endInput();
    expect(await program.exited).toBe(0);
    expect(statSync(program.folder).mode & 0o777).toBe(0o755);
    expect(readable(program.folder)).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)("is told where it cannot be changed, and no hindrance", async () => {
    const folder = temporaryFolder();
    const { path } = await storeIn(folder);
    loosen(join(folder, "data"));
    // An unchangeable file, as on a file system that keeps no modes: here the process loses the right to change it.
    const script = `
      process.setuid(65534);
      const { closeToOthers } = await import(${JSON.stringify(join(import.meta.dirname, "../../dist/src/system/owner-only.js"))});
      closeToOthers(${JSON.stringify(path)}, (sentence) => console.log(sentence));
    `;
    chmodSync(folder, 0o755);
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(said).toContain(`${path} (0644: it belongs to another user)`);
    expect(said).toContain("this program cannot change that");
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});

describe("in a folder where others write too", () => {
  test("a backup follows no link that lies there", async () => {
    const folder = temporaryFolder();
    const { env } = await storeIn(folder);
    const victim = join(folder, "victim");
    for (const name of ["copy.sqlite.part", "dangling"]) symlinkSync(victim, join(folder, name));
    const store = await openStore(env.STORE_URL);
    onTestFinished(() => store.close());
    await store.backup(join(folder, "copy.sqlite"));
    await expect(store.backup(join(folder, "dangling"))).rejects.toThrow(/dangling already exists/);
    expect(existsSync(victim)).toBe(false);
    expect(lstatSync(join(folder, "copy.sqlite")).isFile()).toBe(true);
  });

  test("an export follows none either, also if its name was foreseen", async () => {
    const folder = temporaryFolder();
    const [victim, file] = [join(folder, "victim"), join(folder, "all.json")];
    writeFileSync(victim, "mine");
    symlinkSync(victim, `${file}.${process.pid}.part`);
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
    const words = async function* () {
      yield "what was said";
    };
    await writeWhole(file, words(), { replace: false });
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(readFileSync(file, "utf8")).toBe("what was said");
    const again = writeWhole(join(folder, "dangling"), words(), { replace: false });
    await expect(again).rejects.toThrow(ConfigError);
    await writeWhole(join(folder, "dangling"), words(), { replace: true });
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toHaveLength(1);
  });
});
