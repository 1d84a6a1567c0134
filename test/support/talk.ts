import { PassThrough } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { createConsole } from "../../adapters/console/index.ts";
import { type ColloquyOptions, createColloquy } from "../../src/colloquy.ts";
import type { Message, Model, Usage } from "../../src/model/model.ts";
import { captureLog } from "./log.ts";

/** A model that answers as it is told, and remembers what it was sent. */
export interface ScriptedModel extends Model {
  readonly sent: (readonly Message[])[];
}

/** What is answered to the messages, and the bill for it. */
export type Script = (messages: readonly Message[]) => { text: string; usage?: Partial<Usage> };

/** By default it repeats the question, and every answer costs 10 and 5 tokens. */
export function scriptedModel({
  name = "m-1",
  script = (messages) => ({ text: `re: ${messages.at(-1)?.content}` }),
  ...rest
}: { name?: string; script?: Script } & Partial<Pick<Model, "price" | "contextTokens">> = {}): ScriptedModel {
  const sent: (readonly Message[])[] = [];
  return {
    name,
    contextTokens: 32_768,
    ...rest,
    sent,
    async *answer({ messages }) {
      sent.push(messages);
      const { text, usage } = script(messages);
      yield text;
      return { input: 10, output: 5, estimated: false, ...usage };
    },
  };
}

/** Says these lines one after the other at a console, and returns all that is printed. */
export async function talk(
  lines: readonly string[],
  options: Omit<ColloquyOptions, "adapters">,
): Promise<string> {
  const output = new PassThrough();
  const printed = readAll(output);
  const console = createConsole({ input: said(lines), output, user: "ann", color: false });
  const bot = await createColloquy({
    store: "memory:",
    log: captureLog().log,
    ...options,
    adapters: [console],
  });
  await bot.start();
  await console.ended;
  await bot.stop();
  output.end();
  return printed;
}

async function* said(lines: readonly string[]) {
  for (const text of lines) yield { text };
}
