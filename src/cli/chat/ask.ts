import { fstatSync } from "node:fs";
import { userInfo } from "node:os";
import { text as readAll } from "node:stream/consumers";
import { createConsole } from "../../../adapters/console/index.ts";
import { ConfigError } from "../../errors.ts";
import { one } from "../../program/one.ts";
import { type ConsoleFlags, looks, systemLocale } from "../environment.ts";
import { failureToStderr, outputMiddleware, outputStream } from "./output.ts";
import { converse, withSession } from "./session.ts";

/** The exit code if there is no answer. */
const FAILED = 1;

/** `colloquy ask`: prints one answer. */
export async function runAsk(words: readonly string[], flags: ConsoleFlags): Promise<void> {
  const question = [words.join(" "), await pipedText(words.length > 0)].filter(Boolean).join("\n\n");
  if (!question.trim())
    throw new ConfigError("question", 'There is no question: colloquy ask "why is rain?"');
  const failure = failureToStderr();
  await withSession(flags, async (session) => {
    const console = createConsole({
      input: one({ text: question }),
      output: outputStream(flags),
      user: flags.user ?? userInfo().username,
      locale: systemLocale(),
      ...looks(),
    });
    const middleware = [failure.handler, ...outputMiddleware(flags, session.settings)];
    await converse(session, { console, chosen: flags, middleware });
  });
  if (failure.failed()) process.exitCode = FAILED;
}

/** Reads standard input. If there is a question already, only from a pipe or a file: some parents leave a socket open. */
async function pipedText(hasQuestion: boolean): Promise<string> {
  if (process.stdin.isTTY) return "";
  const kind = fstatSync(0);
  if (hasQuestion && !kind.isFIFO() && !kind.isFile()) return "";
  return (await readAll(process.stdin)).trim();
}
