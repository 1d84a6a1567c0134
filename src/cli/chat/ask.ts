import { fstatSync } from "node:fs";
import { userInfo } from "node:os";
import { Writable } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { createConsole, type Said } from "../../../adapters/console/index.ts";
import { ConfigError } from "../../errors.ts";
import { createConsoleColloquy } from "../../program/console.ts";
import { openStore } from "../../store/store.ts";
import { run } from "../run.ts";
import { type ConsoleFlags, logTo, looks, settingsFor, systemLocale, toStderr } from "../surroundings.ts";
import { answerInJson, failureToStderr, tellUsage } from "./told.ts";

/** The exit code where there is no answer. */
const FAILED = 1;

/** `colloquy ask`: one answer. */
export async function ask(words: readonly string[], flags: ConsoleFlags): Promise<void> {
  const question = [words.join(" "), await pipedText(words.length > 0)].filter(Boolean).join("\n\n");
  if (!question.trim())
    throw new ConfigError("question", 'There is no question: colloquy ask "why is rain?"');
  const settings = settingsFor(flags);
  const log = logTo(process.stderr, settings);
  const asked = failureToStderr();
  const console = createConsole({
    input: only({ text: question }),
    output: flags.json ? nowhere() : process.stdout,
    user: flags.user ?? userInfo().username,
    locale: systemLocale(),
    ...looks(),
  });
  const middleware = [
    asked.handler,
    ...(flags.usage ? [tellUsage(settings.CURRENCY)] : []),
    ...(flags.json ? [answerInJson((line) => process.stdout.write(line))] : []),
  ];
  const store = await openStore(settings.STORE_URL, toStderr);
  try {
    await run(log, async () => {
      const colloquy = await createConsoleColloquy({
        settings,
        log,
        store,
        console,
        chosen: flags,
        middleware,
      });
      return {
        stop: () => colloquy.stop(),
        running: async () => {
          await colloquy.start();
          await console.ended;
        },
      };
    });
  } finally {
    await store.close();
  }
  if (asked.failed()) process.exitCode = FAILED;
}

/** For what is told in another form. */
export function nowhere(): Writable {
  return new Writable({ write: (_, __, done) => done() });
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
