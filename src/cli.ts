#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import { ConfigError, describeError } from "./errors.ts";
import type { ProgramRole } from "./program/start.ts";
import { scrub } from "./sanitize/secrets.ts";
import { backup } from "./cli/backup.ts";
import { runAsk } from "./cli/chat/ask.ts";
import { chat } from "./cli/chat/chat.ts";
import { dropLetters, list, retry } from "./cli/dead.ts";
import { adoptDotEnv, ownSecrets, toStderr } from "./cli/environment.ts";
import { exportFile, FORMATS, importFile } from "./cli/exchange.ts";
import { migrateStore } from "./cli/migrate.ts";
import { playground } from "./cli/playground.ts";
import { preview } from "./cli/preview.ts";
import { runStart } from "./cli/start.ts";
import { exitWithStreams } from "./cli/streams.ts";
import type { ReportBy } from "./cli/usage-report.ts";
import { runUsage } from "./cli/usage.ts";
import { addUser, listUsers, removeUser, reopenNames, revokeKey } from "./cli/user.ts";

/** Exit codes: 0 success, 1 failure, 2 wrong usage or wrong settings. */
const FAILED = 1;
const WRONG = 2;

const BY: readonly ReportBy[] = ["user", "conversation", "model", "day"];
const ROLES: readonly ProgramRole[] = ["all", "intake", "worker", "web"];

// Only the owner may read the files that this process and its children create. Windows has no such modes.
process.umask(0o077);

const cli = new Command("colloquy")
  .description("One conversation engine for every chat platform.")
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

cli
  .command("start")
  .description("run all configured platforms; if there are none, chat in this terminal")
  .addOption(
    new Option(
      "--role <role>",
      "if processes share a PostgreSQL store: receive (intake; from the web chat only: web), answer (worker), or both",
    )
      .choices(ROLES)
      .default("all"),
  )
  .action(runStart);
cli
  .command("playground")
  .description("serve a page that simulates all platforms side by side, for trying things out")
  .action(playground);
withConsoleFlags(cli.command("chat").description("chat in this terminal, or line by line in a pipe"))
  .option(
    "--article",
    "behave like the article's program: 0 exits, 1 resets, at most eleven messages a conversation",
  )
  .option("--no-files", "disable /save")
  .action(chat);
withConsoleFlags(
  cli
    .command("ask")
    .description("print one answer; the question, or more of it, can come from standard input")
    .argument("[question...]", "the question"),
).action(runAsk);

cli
  .command("preview")
  .description("show how Markdown looks on each platform, message by message")
  .argument("[file]", "a Markdown file; standard input by default")
  .option("--platform <name>", "show only this platform")
  .option("--jsonl", "read lines of JSON, and write lines of JSON with the payloads")
  .action(preview);

const dead = cli
  .command("dead")
  .description("list the messages that could not be answered after all attempts")
  .option("--text", "include what users wrote")
  .action(list);
dead
  .command("retry")
  .description("try to answer them again")
  .argument("[id...]", "the ids of the messages")
  .option("--all", "retry every message")
  .action(retry);
dead
  .command("drop")
  .description("delete them")
  .argument("[id...]", "the ids of the messages")
  .option("--all", "delete every message")
  .action(dropLetters);

cli
  .command("backup")
  .description("copy the store into a new file; the program may run meanwhile")
  .argument("<file>", "the file to create")
  .action(backup);

cli
  .command("import")
  .description("import a user_messages.json; each user continues with `colloquy chat --user NAME`")
  .argument("<file>", 'the messages of each user, {"user": [{"role", "content"}, …]}')
  .option("--user <name...>", "import only these users")
  .option("--all", "names are conversations of any platform, as `export --all` writes them")
  .option("--replace", "delete what these users have said here before")
  .action(importFile);

cli
  .command("export")
  .description("write conversations to a file; the program may run meanwhile")
  .argument(
    "<file>",
    "user_messages.json; a .md file is Markdown, a .jsonl file has a line for each message, - is standard output",
  )
  .option("--user <name...>", "export only these users, each with the conversation that was last active")
  .option("--all", "export every conversation of every platform, under its own name")
  .addOption(
    new Option("--format <format>", "the format, if the file name does not imply it").choices(FORMATS),
  )
  .option("--replace", "replace the file")
  .action(exportFile);

const user = cli.command("user").description("manage who may sign in to the web chat from other machines");
user
  .command("add")
  .description("print a personal link for a user, or with --api a key for programs")
  .argument("<name>", "the name of the user")
  .option("--api", "create a key for programs that speak like OpenAI's clients")
  .option("--expires <time>", "how long it is valid, such as 30m, 12h or 7d")
  .option("--once", "the link is valid for one sign-in")
  .action(addUser);
user
  .command("list")
  .description("list all links and keys: the id, the user, and when it was created and last used")
  .action(listUsers);
user
  .command("revoke")
  .description("revoke a link or key, and end the sessions that it has started")
  .argument("<id>", "the id that `user list` shows")
  .action(revokeKey);
user
  .command("remove")
  .description("revoke all links and keys of a user, and end their sessions; their conversations are kept")
  .argument("<name>", "the name of the user")
  .action(removeUser);
user
  .command("reopen")
  .description("once all links are revoked: allow signing in with any name on this machine again")
  .action(reopenNames);

cli
  .command("usage")
  .description("report what conversations have cost, in tokens and money; the program may run meanwhile")
  .addOption(new Option("--by <what>", "what each line is for").choices(BY).default("user"))
  .option("--since <day>", "count from this day on (UTC), such as 2026-11-23")
  .option("--json", "print a line of JSON for each")
  .action(runUsage);

cli
  .command("migrate")
  .description(
    "copy everything from one store to another, such as from SQLite to PostgreSQL; stop the program first",
  )
  .argument(
    "<from>",
    "a setting that contains the URL of the store, or the URL itself if it has no password; the store is not changed",
  )
  .argument("<to>", "the same for an empty store, or for one that an interrupted migration has left")
  .action(migrateStore);

cli.hook("preAction", (_, action) => exitWithStreams(action.name() === "start" ? FAILED : 0));
try {
  adoptDotEnv();
  await cli.parseAsync();
} catch (error) {
  fail(error);
}

function withConsoleFlags(command: Command): Command {
  return command
    .option("--user <name>", "the user whose conversation it is")
    .option("--persona <name>", "a file in config/personas, without .md")
    .option("--model <name>", "the model to ask")
    .option("--json", "print a line of JSON for each answer")
    .option("--usage", "print after each answer what it has cost");
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG;
    return;
  }
  toStderr(scrub(describeError(error), ownSecrets()));
  process.exitCode = error instanceof ConfigError ? WRONG : FAILED;
}
