import { createInterface } from "node:readline";
import { createConsole, type Said, type Seat } from "../../../adapters/console/index.ts";
import { createKeyedLock } from "../../store/keyed-lock.ts";
import { createHistory } from "../../conversation/conversation.ts";
import { describeError } from "../../errors.ts";
import { type Handler, isStream } from "../../handler.ts";
import { createConsoleColloquy } from "../../program/console.ts";
import { openStore } from "../../store/store.ts";
import { createThreads, keyOf } from "../../conversation/threads.ts";
import { toldBy } from "../exchange.ts";
import { newThread } from "./picker.ts";
import { run } from "../run.ts";
import { addUser } from "./save.ts";
import { type ConsoleFlags, logTo, looks, settingsFor, toStderr } from "../surroundings.ts";

/** The article's persona, file and words; it speaks Chinese, whatever the language of the system. */
const PERSONA = "python";
const FILE = "user_messages.json";
const NAME = "请输入用户名称: ";
const STARS = "*".repeat(30);
const FORCED = `${STARS}\n*********强制重置对话**********\n${STARS}\n`;
const RESET = "**************************\n*********重置对话**********\n**************************\n";
const LEFT = "*********退出程序**********\n";

/** With so many messages, the persona among them, the conversation is over. */
const MAX_MESSAGES = 11;

/**
 * `colloquy chat --article`: as the program of the article. A conversation for each name that is given, which begins
 * anew each time; `0` leaves, `1` resets, and so do eleven messages. Each time the messages are written to
 * `user_messages.json`, beside those of other users; they stay in the store as well.
 */
export async function article(flags: ConsoleFlags): Promise<void> {
  const { stdin, stdout } = process;
  const settings = settingsFor({ ...flags, persona: flags.persona ?? PERSONA });
  const log = logTo(process.stderr, settings);
  const told = toldBy(settings);
  const store = await openStore(settings.STORE_URL, toStderr);
  const history = createHistory(await store.open("history"));
  const alone = createKeyedLock(store, settings.STORE_URL);
  const threads = createThreads({ store, history, platform: "console", lock: alone });
  const keyboard = createInterface({ input: stdin, ...(stdin.isTTY && { output: stdout }) });
  const lines = keyboard[Symbol.asyncIterator]();
  let seat: Seat = { user: "" };
  let answered = () => {};

  const console = createConsole({
    input: conversations(),
    output: stdout,
    user: () => seat,
    locale: "zh",
    ...looks(),
    idle: () => answered(),
  });
  const starting = run(log, async () => {
    const colloquy = await createConsoleColloquy({ settings, log, store, console, middleware: [signed] });
    return {
      stop: () => {
        keyboard.close();
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

  /** The article's loop: names, and the questions of each. */
  async function* conversations(): AsyncGenerator<Said> {
    for (let user = await ask(NAME); user !== undefined; user = await ask(NAME)) {
      if (!user.trim()) continue;
      seat = { user, thread: newThread() };
      let banner: string | undefined;
      while (banner === undefined) {
        if ((await messages()) >= MAX_MESSAGES) {
          banner = FORCED;
          break;
        }
        const question = await ask(`【${user}】`);
        if (question === undefined || question === "0") banner = LEFT;
        else if (question === "1") banner = RESET;
        else if (question.trim()) {
          const answer = new Promise<void>((resolve) => (answered = resolve));
          yield { text: question };
          await answer;
        }
      }
      stdout.write(banner);
      await keep();
      if (banner === LEFT) return;
    }
  }

  async function ask(prompt: string): Promise<string | undefined> {
    keyboard.setPrompt(prompt);
    if (stdin.isTTY) keyboard.prompt();
    else stdout.write(prompt);
    const { value, done } = await lines.next();
    return done ? undefined : value;
  }

  /** How many there are, the persona among them. */
  async function messages(): Promise<number> {
    return (await threads.load(keyOf("console", seat.user, seat.thread))).messages.length + 1;
  }

  /** A file that cannot be read is never replaced: what was said stays in the store. */
  async function keep(): Promise<void> {
    const conversation = await threads.load(keyOf("console", seat.user, seat.thread));
    try {
      await addUser(FILE, { user: seat.user, conversation, told });
    } catch (error) {
      toStderr(describeError(error));
      process.exitCode = 1;
    }
  }
}

/** The answer begins behind its name, unless its first block would not be one there. */
const signed: Handler = async (turn, next) => {
  const reply = await next();
  if (!isStream(reply)) return reply;
  return (async function* () {
    // Until it tells what kind of block it is.
    let head: string | undefined = "";
    for await (const piece of reply) {
      if (head === undefined) yield piece;
      else if ((head += piece).trim().length >= 4) {
        yield sign(head);
        head = undefined;
      }
    }
    if (head !== undefined) yield sign(head);
  })();
};

function sign(head: string): string {
  return `【ChatGPT】${/^\s*(#{1,6}\s|>|\||```|~~~|[*+-]\s|\d+[.)]\s)/.test(head) ? "\n\n" : ""}${head}`;
}
