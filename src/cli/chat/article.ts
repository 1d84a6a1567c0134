import { createInterface } from "node:readline";
import { createConsole, type Said, type Seat } from "../../../adapters/console/index.ts";
import { keyOf } from "../../conversation/threads.ts";
import { describeError } from "../../errors.ts";
import { type Handler, isStream } from "../../handler.ts";
import { type ConsoleFlags, looks, toStderr } from "../environment.ts";
import { personasOf } from "../exchange.ts";
import { openThreads } from "../threads.ts";
import { newThread } from "./picker.ts";
import { appendUser } from "./save.ts";
import { converse, type ChatSession, withSession } from "./session.ts";

/** The persona, file name and texts of the article's program, which is in Chinese regardless of the system's language. */
const PERSONA = "python";
const FILE = "user_messages.json";
const NAME = "请输入用户名称: ";
const STARS = "*".repeat(30);
const FORCED = `${STARS}\n*********强制重置对话**********\n${STARS}\n`;
const RESET = "**************************\n*********重置对话**********\n**************************\n";
const LEFT = "*********退出程序**********\n";

/** The conversation is over when it has this many messages, including the persona. */
const MAX_MESSAGES = 11;

/**
 * `colloquy chat --article`: behaves like the article's program. Each name begins a new conversation, even a name that was
 * given before; `0` exits, `1` resets, and so do eleven messages. At the end of each conversation its messages are
 * written to `user_messages.json`, beside those of other users; they are saved in the store as well.
 */
export async function article(flags: ConsoleFlags): Promise<void> {
  await withSession({ ...flags, persona: flags.persona ?? PERSONA }, articleSession);
}

async function articleSession(session: ChatSession): Promise<void> {
  const { stdin, stdout } = process;
  const { settings, store } = session;
  const personas = personasOf(settings);
  const threads = await openThreads(store, settings.STORE_URL);
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
  await converse(session, { console, middleware: [signed], close: () => keyboard.close() });

  /** The article's loop: asks for names, and for the questions of each. */
  async function* conversations(): AsyncGenerator<Said> {
    for (let user = await ask(NAME); user !== undefined; user = await ask(NAME)) {
      if (!user.trim()) continue;
      seat = { user, thread: newThread() };
      let banner: string | undefined;
      while (banner === undefined) {
        if ((await countMessages()) >= MAX_MESSAGES) {
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
      await saveMessages();
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

  /** Counts the messages of the conversation, including the persona. */
  async function countMessages(): Promise<number> {
    return (await threads.load(keyOf("console", seat.user, seat.thread))).messages.length + 1;
  }

  /** Writes the file. One that cannot be read is not replaced; the messages are still in the store. */
  async function saveMessages(): Promise<void> {
    const conversation = await threads.load(keyOf("console", seat.user, seat.thread));
    try {
      await appendUser(FILE, { user: seat.user, conversation, personas });
    } catch (error) {
      toStderr(describeError(error));
      process.exitCode = 1;
    }
  }
}

/** Puts the name of the bot before the answer, or above it if the first block could not follow on the same line. */
const signed: Handler = async (turn, next) => {
  const reply = await next();
  if (!isStream(reply)) return reply;
  return (async function* () {
    // Collected until the kind of the first block is known.
    let head: string | undefined = "";
    for await (const chunk of reply) {
      if (head === undefined) yield chunk;
      else if ((head += chunk).trim().length >= 4) {
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
