#!/usr/bin/env node
import { createReadStream, existsSync, fstatSync } from "node:fs";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import closeWithGrace from "close-with-grace";
import { Command, CommanderError, Option } from "commander";
import {
  type Console,
  createConsole,
  createConsoleDialect,
  linesOf,
  openTerminal,
  type Said,
  showsLinks,
  useColor,
} from "../adapters/console/index.ts";
import { loadSettings, secretsOf, type Settings } from "../config/settings.ts";
import type { Role } from "./colloquy.ts";
import { interruptingNames } from "./commands/all.ts";
import { dropDead, listDead, retryDead } from "./dead.ts";
import { ConfigError, describeError } from "./errors.ts";
import type { ChatEvent } from "./event.ts";
import { type Handler, isStream, type Turn } from "./handler.ts";
import { texts } from "./i18n/texts.ts";
import { createLog, type Log, scrub } from "./log.ts";
import { exportFile, FORMATS, importFile } from "./cli/exchange.ts";
import { createConsoleColloquy, createPreviews, hasPlatforms, startProgram } from "./main.ts";
import { previewLine } from "./preview.ts";
import { printReport, type ReportBy, type ReportLine, reportUsage } from "./report.ts";
import { openExistingStore } from "./store.ts";
import { createPager } from "./text/paginate.ts";

/** Exit codes: 0 fine, 1 failed, 2 wrong use or wrong settings. */
const FAILED = 1;
const WRONG = 2;

/** Longer than the grace that the program gives to running answers, in ms. */
const STOP_WITHIN_MS = 15_000;

/** A second signal within this time is the first one's echo, in ms. */
const ECHO_MS = 500;

interface ConsoleFlags {
  readonly user?: string;
  readonly persona?: string;
  readonly model?: string;
}

const BY: readonly ReportBy[] = ["user", "conversation", "model", "day"];
const ROLES: readonly Role[] = ["all", "intake", "worker"];

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
      "where processes share a PostgreSQL store: receive (intake), answer (worker), or both",
    )
      .choices(ROLES)
      .default("all"),
  )
  .action(start);
withConsoleFlags(cli.command("chat").description("chat in this terminal, or line by line in a pipe")).action(
  chat,
);
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
    const settings = loadSettings(process.env);
    const listed = await listDead({ store: settings.STORE_URL, text });
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
      process.stdout.write(await action({ store: storeUrl(), ids, all }));
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
  .argument("<from>", "a STORE_URL; this store is left as it is")
  .argument("<to>", "the STORE_URL of an empty store, or of one that an interrupted migration has left")
  .action(async (from: string, to: string) => {
    const { migrate } = await import("./migrate/migrate.ts");
    const interrupting = interruptingNames();
    const interrupts = ({ command }: ChatEvent) => command !== undefined && interrupting.has(command);
    process.stdout.write(await migrate({ from, to, interrupts, progress: process.stderr }));
  });

try {
  if (existsSync(".env")) process.loadEnvFile(".env");
  await cli.parseAsync();
} catch (error) {
  fail(error);
}

function withConsoleFlags(command: Command): Command {
  return command
    .option("--user <name>", "whose conversation it is")
    .option("--persona <name>", "a file of config/personas")
    .option("--model <name>", "the model to ask");
}

async function start({ role }: { role: Role }): Promise<void> {
  const settings = loadSettings(process.env);
  const withConsole = !hasPlatforms(settings);
  const quiet = withConsole && process.stdout.isTTY && !process.env["LOG_LEVEL"];
  const log = logTo(process.stdout, quiet ? { ...settings, LOG_LEVEL: "warn" } : settings);
  const console = withConsole ? openConsole(userInfo().username) : undefined;
  await run({ log, console }, async () => {
    const program = await startProgram({ settings, log, console: console?.adapter, role });
    return {
      stop: () => program.stop(),
      running: async () => {
        log.info({ platforms: await program.connected, url: program.url }, "ready");
        if (!console) return forever();
        await console.adapter.ended;
        if (console.spoken()) return;
        log.warn(`no platform is configured and standard input is empty: only ${program.url} is served`);
        return forever();
      },
    };
  });
}

async function chat(flags: ConsoleFlags): Promise<void> {
  const settings = settingsFor(flags);
  const log = logTo(process.stderr, settings);
  const user = flags.user ?? userInfo().username;
  const console = openConsole(user);
  await run({ log, console }, () =>
    converse({ settings, log, console: console.adapter, user, chosen: flags }),
  );
}

async function ask(words: readonly string[], flags: ConsoleFlags): Promise<void> {
  const question = [words.join(" "), await pipedText(words.length > 0)].filter(Boolean).join("\n\n");
  if (!question.trim())
    throw new ConfigError("question", 'There is no question: colloquy ask "why is rain?"');
  const settings = settingsFor(flags);
  const log = logTo(process.stderr, settings);
  const asked = failureToStderr();
  const console = createConsole({
    input: only({ text: question }),
    output: process.stdout,
    user: flags.user ?? userInfo().username,
    locale: systemLocale(),
    ...looks(),
  });
  await run({ log }, () => converse({ settings, log, console, chosen: flags, middleware: [asked.handler] }));
  if (asked.failed()) process.exitCode = FAILED;
}

async function preview(file: string | undefined, { platform, jsonl }: { platform?: string; jsonl?: true }) {
  const all = await createPreviews(loadSettings(process.env), looks().color);
  const chosen = all.filter(({ name }) => platform === undefined || name === platform);
  const [first] = chosen;
  if (!first || (jsonl && chosen.length > 1)) {
    throw new ConfigError("platform", `Choose one: --platform ${all.map(({ name }) => name).join(" or ")}`);
  }
  if (file !== undefined && !existsSync(file)) throw new ConfigError("file", `There is no file ${file}`);
  const input = file === undefined ? process.stdin : createReadStream(file);
  if (jsonl) {
    for await (const line of createInterface({ input })) {
      if (line.trim()) process.stdout.write(`${previewLine(line, first)}\n`);
    }
    return;
  }
  const markdown = await readAll(input);
  for (const page of chosen.flatMap((one) => one.pages(markdown))) process.stdout.write(`${page}\n\n`);
}

async function backup(file: string): Promise<void> {
  const store = await openExistingStore(storeUrl());
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
  const { STORE_URL, CURRENCY: currency } = loadSettings(process.env);
  const store = await openExistingStore(STORE_URL);
  const unsound = (what: string) => process.stderr.write(`colloquy: ${what}\n`);
  let lines: ReportLine[];
  try {
    lines = await reportUsage(store, { by, since, unsound });
  } finally {
    await store.close();
  }
  if (json) return void process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const dialect = createConsoleDialect(looks());
  const pages = createPager(dialect).pages(printReport(lines, { by, currency }), true);
  process.stdout.write(`${pages.join("\n").trimStart()}\n`);
}

function storeUrl(): string {
  return loadSettings(process.env).STORE_URL;
}

async function converse(
  options: Parameters<typeof createConsoleColloquy>[0] & { console: Console },
): Promise<Running> {
  const colloquy = await createConsoleColloquy(options);
  return {
    stop: () => colloquy.stop(),
    running: async () => {
      await colloquy.start();
      await options.console.ended;
    },
  };
}

interface Running {
  /** Resolves when the program is over by itself. */
  running(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs until it is over by itself, or until a signal comes; then ends in order. */
async function run(
  { log, console }: { log: Log; console?: OpenConsole | undefined },
  begin: () => Promise<Running>,
) {
  let program: Running | undefined;
  const onSecondError = (err: unknown) => log.error({ err }, `a second error: ${describeError(err)}`);
  const options = { delay: STOP_WITHIN_MS, logger: false, onSecondError } as const;
  const grace = closeWithGrace(options, async ({ signal, err }) => {
    ignoreEcho();
    console?.close();
    // Ended like by a crash: parking in order would clear the event that may be to blame, and it would come again
    // with each start. The next start finishes the others.
    if (err) return log.error({ err }, `ending after an unexpected error: ${describeError(err)}`);
    log.info({ signal }, "stopping");
    await program?.stop();
    log.info("stopped");
  });
  try {
    program = await begin();
    await program.running();
  } finally {
    grace.uninstall();
    console?.close();
    await program?.stop();
  }
}

/** One wish to end may come twice: a terminal signals npm and us, and npm passes it on. Later it is a second wish. */
function ignoreEcho(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const secondWish = process.listeners(signal);
    process.removeAllListeners(signal);
    process.on(signal, () => undefined);
    setTimeout(() => {
      process.removeAllListeners(signal);
      for (const listener of secondWish) process.on(signal, listener);
    }, ECHO_MS).unref();
  }
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

interface OpenConsole {
  readonly adapter: ReturnType<typeof createConsole>;
  close(): void;
  /** Whether anything was said. */
  spoken(): boolean;
}

function openConsole(user: string): OpenConsole {
  const { stdin, stdout } = process;
  const locale = systemLocale();
  const say = texts(locale ?? "en");
  if (!stdin.isTTY || !stdout.isTTY) {
    let spoken = false;
    const input = (async function* () {
      for await (const said of linesOf(stdin)) {
        spoken = true;
        yield said;
      }
    })();
    const adapter = createConsole({ input, output: stdout, user, locale, ...looks() });
    return { adapter, close: () => stdin.destroy(), spoken: () => spoken };
  }
  stdout.write(`${say("console.welcome")}\n`);
  const terminal = openTerminal({
    input: stdin,
    output: stdout,
    prompt: `\n${user}> `,
    leaveHint: say("console.leave"),
  });
  const adapter = createConsole({
    input: terminal.said,
    output: stdout,
    user,
    locale,
    ...looks(),
    idle: () => terminal.prompt(),
  });
  return { adapter, close: () => terminal.close(), spoken: () => true };
}

/** The reason for a missing answer is no answer: it goes to standard error, and the exit code tells. */
function failureToStderr(): { handler: Handler; failed(): boolean } {
  let asked: Turn | undefined;
  return {
    failed: () => asked?.failure !== undefined,
    handler: async (turn, next) => {
      asked = turn;
      const reply = await next();
      if (!isStream(reply)) return reply;
      return (async function* () {
        for await (const piece of reply) {
          if (turn.failure) process.stderr.write(`${piece.trim()}\n`);
          else yield piece;
        }
      })();
    },
  };
}

function settingsFor({ persona, model }: ConsoleFlags): Settings {
  const quiet = { ...process.env, LOG_LEVEL: process.env["LOG_LEVEL"] ?? "error" };
  return loadSettings({
    ...quiet,
    ...(persona && { PERSONA: persona }),
    ...(model && { OPENAI_MODEL: model }),
  });
}

function logTo(stream: NodeJS.WriteStream, settings: Settings): Log {
  return createLog({ level: settings.LOG_LEVEL, stream, secrets: secretsOf(settings) });
}

/** What is piped in. Beside a question, only a real pipe or file counts: some parents leave a socket open. */
async function pipedText(hasQuestion: boolean): Promise<string> {
  if (process.stdin.isTTY) return "";
  const kind = fstatSync(0);
  if (hasQuestion && !kind.isFIFO() && !kind.isFile()) return "";
  return (await readAll(process.stdin)).trim();
}

async function* only(said: Said): AsyncGenerator<Said> {
  yield said;
}

/** What standard output can show. */
function looks() {
  const surroundings = { env: process.env, isTTY: process.stdout.isTTY };
  return { color: useColor(surroundings), links: showsLinks(surroundings) };
}

/** "zh-CN" for LANG=zh_CN.UTF-8; undefined where no language is set. */
function systemLocale(): string | undefined {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  const tag = (LC_ALL || LC_MESSAGES || LANG || "").split(".")[0]?.replace("_", "-");
  return tag && !["C", "POSIX"].includes(tag) ? tag : undefined;
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG;
    return;
  }
  const secrets = [
    process.env["OPENAI_API_KEY"],
    process.env["TELEGRAM_BOT_TOKEN"],
    process.env["DISCORD_BOT_TOKEN"],
  ];
  const message = scrub(
    describeError(error),
    secrets.filter((secret) => secret !== undefined),
  );
  process.stderr.write(`colloquy: ${message}\n`);
  process.exitCode = error instanceof ConfigError ? WRONG : FAILED;
}
