#!/usr/bin/env node
import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { Command, CommanderError, Option } from "commander";
import { createConsoleDialect } from "../../adapters/console/index.ts";
import { secretsOf } from "../../config/settings.ts";
import { ask } from "./chat/ask.ts";
import { chat } from "./chat/chat.ts";
import { exportFile, FORMATS, importFile } from "./exchange.ts";
import { start } from "./start.ts";
import { migrateStore } from "./migrate.ts";
import { playground } from "./playground.ts";
import { looks, ownSecrets, ownSettings, takeDotEnv, toStderr } from "./surroundings.ts";
import { addUser, listUsers, removeUser, reopenNames, revokeKey } from "./user.ts";
import { dropDead, listDead, retryDead } from "./dead-letters.ts";
import { ConfigError, describeError } from "../errors.ts";
import { harmless, harmlessJson, withoutTurns } from "../sanitize/harmless.ts";
import { createPreviews } from "../program/previews.ts";
import type { ProgramRole } from "../program/start.ts";
import { previewLine } from "../program/preview.ts";
import { printReport, type ReportBy, type ReportLine, reportUsage } from "./usage-report.ts";
import { scrub } from "../sanitize/secrets.ts";
import { openExistingStore } from "../store/store.ts";
import { createPager } from "../text/paginate/paginate.ts";

/** Exit codes: 0 fine, 1 failed, 2 wrong use or wrong settings. */
const FAILED = 1;
const WRONG = 2;

const BY: readonly ReportBy[] = ["user", "conversation", "model", "day"];
const ROLES: readonly ProgramRole[] = ["all", "intake", "worker", "web"];

// Whatever this process and its children make is the owner's alone. Windows has no such modes.
process.umask(0o077);

const cli = new Command("colloquy")
  .description("One conversation engine for every chat platform.")
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

cli
  .command("start")
  .description("run every configured platform; with none, a chat right here")
  .addOption(
    new Option(
      "--role <role>",
      "where processes share a PostgreSQL store: receive (intake; only from the web chat: web), answer (worker), or both",
    )
      .choices(ROLES)
      .default("all"),
  )
  .action(start);
cli
  .command("playground")
  .description("a page on which every platform is simulated, side by side, to try things out")
  .action(playground);
withConsoleFlags(cli.command("chat").description("chat in this terminal, or line by line in a pipe"))
  .option("--article", "like the program of the article: 0 leaves, 1 resets, eleven messages are the most")
  .option("--no-files", "without /save")
  .action(chat);
withConsoleFlags(
  cli
    .command("ask")
    .description("print one answer; the question, or more of it, may come from standard input")
    .argument("[question...]", "the question"),
).action(ask);

cli
  .command("preview")
  .description("show how Markdown comes out on each platform, message by message")
  .argument("[file]", "a Markdown file; standard input if there is none")
  .option("--platform <name>", "only this platform")
  .option("--jsonl", "lines of JSON in, lines of JSON with the payloads out")
  .action(preview);

const dead = cli
  .command("dead")
  .description("list the messages that could not be answered however often it was tried")
  .option("--text", "with what people wrote")
  .action(async ({ text = false }: { text?: boolean }) => {
    const settings = ownSettings();
    const listed = await listDead({ store: settings.STORE_URL, notice: toStderr, text });
    process.stdout.write(scrub(listed, secretsOf(settings)));
  });
for (const [name, description, action] of [
  ["retry", "try them once more", retryDead],
  ["drop", "forget them", dropDead],
] as const) {
  dead
    .command(name)
    .description(description)
    .argument("[id...]", "which of them")
    .option("--all", "each of them")
    .action(async (ids: readonly string[], { all = false }: { all?: boolean }) => {
      process.stdout.write(await action({ store: storeUrl(), notice: toStderr, ids, all }));
    });
}

cli
  .command("backup")
  .description("copy the store into a new file; the program may run meanwhile")
  .argument("<file>", "the copy")
  .action(backup);

cli
  .command("import")
  .description("take in a user_messages.json: each user goes on with `colloquy chat --user NAME`")
  .argument("<file>", 'the messages of each user, {"user": [{"role", "content"}, …]}')
  .option("--user <name...>", "only these users")
  .option("--all", "names are conversations of any platform, as `export --all` writes them")
  .option("--replace", "forget what these users have said here before")
  .action(importFile);

cli
  .command("export")
  .description("write conversations into a file; the program may run meanwhile")
  .argument(
    "<file>",
    "user_messages.json; .md is Markdown, .jsonl a line for each message, - standard output",
  )
  .option("--user <name...>", "only these users; for each of them the conversation that was last active")
  .option("--all", "every conversation of every platform, under its own name")
  .addOption(new Option("--format <format>", "if the name does not tell").choices(FORMATS))
  .option("--replace", "replace the file")
  .action(exportFile);

const user = cli.command("user").description("who may sign in to the web chat from elsewhere");
user
  .command("add")
  .description("print a personal link for someone; with --api a key for programs")
  .argument("<name>", "how they are called")
  .option("--api", "a key for programs that speak like OpenAI's clients")
  .option("--expires <time>", "how long it is good, such as 30m, 12h or 7d")
  .option("--once", "the link is good for one sign-in")
  .action(addUser);
user
  .command("list")
  .description("every link and key: its id, whose it is, when it was made and last used")
  .action(listUsers);
user
  .command("revoke")
  .description("end one link or key, and the sessions that it has begun")
  .argument("<id>", "as `user list` shows it")
  .action(revokeKey);
user
  .command("remove")
  .description("end someone's links, keys and sessions; what they said is kept")
  .argument("<name>", "how they are called")
  .action(removeUser);
user
  .command("reopen")
  .description("once nobody has a link any more: a name is enough again on this machine")
  .action(reopenNames);

cli
  .command("usage")
  .description("tell what the conversations have cost, in tokens and money; the program may run meanwhile")
  .addOption(new Option("--by <what>", "a line for each").choices(BY).default("user"))
  .option("--since <day>", "from this day on (UTC), such as 2026-11-23")
  .option("--json", "a line of JSON for each")
  .action(usage);

cli
  .command("migrate")
  .description(
    "copy everything from one store into another, such as SQLite into PostgreSQL; stop the program first",
  )
  .argument(
    "<from>",
    "the name of a setting that holds the store's URL, or the URL if it has no password; the store is left as it is",
  )
  .argument("<to>", "the same of an empty store, or of one that an interrupted migration has left")
  .action(migrateStore);

// Whoever reads a part of the output alone, such as `head`, wants no more of it; a bot whose log nobody takes any more
// has failed. A terminal that is gone takes nothing, not even what is wrong. What was accepted is kept either way.
cli.hook("preAction", (_, action) => {
  const code = action.name() === "start" ? FAILED : 0;
  for (const stream of [process.stdin, process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(code);
      // An ordinary exit would set the terminal back, and Node aborts where it is gone.
      if (error.code === "EIO") process.kill(process.pid, "SIGKILL");
      throw error;
    });
  }
});
try {
  takeDotEnv();
  await cli.parseAsync();
} catch (error) {
  fail(error);
}

function withConsoleFlags(command: Command): Command {
  return command
    .option("--user <name>", "whose conversation it is")
    .option("--persona <name>", "a file of config/personas")
    .option("--model <name>", "the model to ask")
    .option("--json", "a line of JSON for each answer")
    .option("--usage", "tell after each answer what it has cost");
}

async function preview(file: string | undefined, { platform, jsonl }: { platform?: string; jsonl?: true }) {
  const all = await createPreviews(ownSettings(), looks().color);
  const chosen = all.filter(({ name }) => platform === undefined || name === platform);
  const [first] = chosen;
  if (!first || (jsonl && chosen.length > 1)) {
    throw new ConfigError("platform", `Choose one: --platform ${all.map(({ name }) => name).join(" or ")}`);
  }
  if (file !== undefined && !existsSync(file)) throw new ConfigError("file", `There is no file ${file}`);
  const input = file === undefined ? process.stdin : createReadStream(file);
  if (jsonl) {
    for await (const line of createInterface({ input })) {
      if (line.trim()) process.stdout.write(`${harmlessJson(previewLine(line, first))}\n`);
    }
    return;
  }
  const markdown = harmless(await readAll(input));
  for (const page of chosen.flatMap((one) => one.pages(markdown)))
    process.stdout.write(`${withoutTurns(page)}\n\n`);
}

async function backup(file: string): Promise<void> {
  const store = await openExistingStore(storeUrl(), toStderr);
  try {
    await store.backup(file);
  } finally {
    await store.close();
  }
  process.stdout.write(`The store is copied to ${file}.\n`);
}

async function usage({ by, since, json }: { by: ReportBy; since?: string; json?: true }): Promise<void> {
  if (since !== undefined && !/^\d{4}-\d\d-\d\d$/.test(since)) {
    throw new ConfigError("since", `--since is "${since}": write a day such as 2026-11-23`);
  }
  const { STORE_URL, CURRENCY: currency } = ownSettings();
  const store = await openExistingStore(STORE_URL, toStderr);
  let lines: ReportLine[];
  try {
    lines = await reportUsage(store, { by, since, unsound: toStderr });
  } finally {
    await store.close();
  }
  if (json)
    return void process.stdout.write(lines.map((line) => `${harmlessJson(JSON.stringify(line))}\n`).join(""));
  const dialect = createConsoleDialect(looks());
  const pages = createPager(dialect).pages(printReport(lines, { by, currency }), true);
  process.stdout.write(`${pages.join("\n").trimStart()}\n`);
}

function storeUrl(): string {
  return ownSettings().STORE_URL;
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG;
    return;
  }
  toStderr(scrub(describeError(error), ownSecrets()));
  process.exitCode = error instanceof ConfigError ? WRONG : FAILED;
}
