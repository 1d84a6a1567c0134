import { userInfo } from "node:os";
import { createConsole, linesOf, type Said } from "../../../adapters/console/index.ts";
import { type ConsoleFlags, looks, systemLocale } from "../environment.ts";
import { article } from "./article.ts";
import { outputMiddleware, outputStream } from "./output.ts";
import { converse, withSession } from "./session.ts";
import { chatOnTerminal } from "./terminal.ts";

export interface ChatFlags extends ConsoleFlags {
  readonly article?: true;
  /** Whether `/save` is available: users whom the operator does not know must not write files. */
  readonly files: boolean;
}

/** `colloquy chat`: chats on the terminal, or in a pipe, where each line is a message. */
export async function chat(flags: ChatFlags): Promise<void> {
  if (flags.article) return article(flags);
  const onTerminal = process.stdin.isTTY && process.stdout.isTTY && !flags.json;
  return onTerminal ? chatOnTerminal(flags) : chatInPipe(flags);
}

async function chatInPipe(flags: ConsoleFlags): Promise<void> {
  const { stdin } = process;
  const user = flags.user ?? userInfo().username;
  await withSession(flags, (session) => {
    const console = createConsole({
      input: flags.json ? fromJson(linesOf(stdin)) : linesOf(stdin),
      output: outputStream(flags),
      user,
      locale: systemLocale(),
      ...looks(),
    });
    const middleware = outputMiddleware(flags, session.settings);
    return converse(session, { console, chosen: flags, middleware, user, close: () => stdin.destroy() });
  });
}

/** Accepts `{"text": …}` as a line too, for messages of several lines. */
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
