import { userInfo } from "node:os";
import { createConsole, linesOf, type Said } from "../../../adapters/console/index.ts";
import { createConsoleColloquy } from "../../program/console.ts";
import { openStore } from "../../store/store.ts";
import { article } from "./article.ts";
import { nowhere } from "./ask.ts";
import { run } from "../run.ts";
import { type ConsoleFlags, logTo, looks, settingsFor, systemLocale, toStderr } from "../surroundings.ts";
import { chatOnTerminal } from "./terminal.ts";
import { answerInJson, tellUsage } from "./told.ts";

export interface ChatFlags extends ConsoleFlags {
  readonly article?: true;
  /** Whether `/save` is there: people whom the operator does not know must not write files. */
  readonly files: boolean;
}

/** `colloquy chat`: on a terminal, or in a pipe, where each line is a message. */
export async function chat(flags: ChatFlags): Promise<void> {
  if (flags.article) return article(flags);
  const onTerminal = process.stdin.isTTY && process.stdout.isTTY && !flags.json;
  return onTerminal ? chatOnTerminal(flags) : chatInPipe(flags);
}

async function chatInPipe(flags: ConsoleFlags): Promise<void> {
  const { stdin, stdout } = process;
  const settings = settingsFor(flags);
  const log = logTo(process.stderr, settings);
  const user = flags.user ?? userInfo().username;
  const console = createConsole({
    input: flags.json ? fromJson(linesOf(stdin)) : linesOf(stdin),
    output: flags.json ? nowhere() : stdout,
    user,
    locale: systemLocale(),
    ...looks(),
  });
  const middleware = [
    ...(flags.usage ? [tellUsage(settings.CURRENCY)] : []),
    ...(flags.json ? [answerInJson((line) => stdout.write(line))] : []),
  ];
  const store = await openStore(settings.STORE_URL, toStderr);
  const starting = run(log, async () => {
    const colloquy = await createConsoleColloquy({
      settings,
      log,
      store,
      console,
      chosen: flags,
      middleware,
      user,
    });
    return {
      stop: () => {
        stdin.destroy();
        return colloquy.stop();
      },
      running: async () => {
        await colloquy.start();
        await console.ended;
      },
    };
  });
  try {
    await starting;
  } finally {
    await store.close();
  }
}

/** A line may be `{"text": …}`, for messages of several lines. */
async function* fromJson(lines: AsyncIterable<Said>): AsyncGenerator<Said> {
  for await (const said of lines) yield "text" in said ? { text: textIn(said.text) } : said;
}

function textIn(line: string): string {
  try {
    const { text } = JSON.parse(line) as { text?: unknown };
    return typeof text === "string" ? text : line;
  } catch {
    return line;
  }
}
