import { findSum, type Sum } from "./arithmetic.ts";
import type { Message } from "../model.ts";
import { type Amount, type DemoLanguage, MAX_SAMPLE, showMarkdown, writeAtLength } from "./sample.ts";

/** A question and the conversation before it. */
interface Talk {
  readonly language: DemoLanguage;
  readonly question: string;
  /** The number of images in the question. */
  readonly images: number;
  /** The user's earlier messages, oldest first. */
  readonly earlier: readonly string[];
  /** The answer to the last of them. */
  readonly lastAnswer: string | undefined;
}

/** Answers the last question of a conversation, from nothing but the conversation itself. */
export function answerOffline(messages: readonly Message[]): string {
  const questions = messages.filter(({ role }) => role === "user").map(({ content }) => content);
  const question = questions.at(-1)?.trim() ?? "";
  const lastAnswer = messages.findLast(({ role }) => role === "assistant")?.content;
  // Chinese is written in Han characters without kana.
  const language = /\p{Script=Han}/u.test(question) && !/\p{Script=Hiragana}/u.test(question) ? "zh" : "en";
  const images = messages.findLast(({ role }) => role === "user")?.images?.length ?? 0;
  const talk: Talk = { language, question, images, earlier: questions.slice(0, -1), lastAnswer };
  for (const topic of [pictures, name, recall, count, length, sum, why, markdown, greeting]) {
    const answer = topic(talk);
    if (answer !== undefined) return answer;
  }
  return introduce(talk);
}

function pictures({ language, images }: Talk): string | undefined {
  if (images === 0) return undefined;
  if (language === "zh") return `我收到了 **${images}** 张图片。演示模型没有眼睛，真正的模型可以查看它。`;
  return `I received **${images}** image${images === 1 ? "" : "s"}. The demo model cannot see; a real model can look at the images that you send.`;
}

function name({ language, question, earlier }: Talk): string | undefined {
  if (
    /\b(what(['’]s| is) my name|who am i|(know|remember) my name)\b|我叫(什么|啥)|我的?名字(是|叫)?(什么|啥)|我是谁/i.test(
      question,
    )
  ) {
    const known = earlier.map(nameIn).findLast((name) => name !== undefined);
    if (language === "zh") return known ? `你叫**${known}**。` : "你还没有告诉我你的名字。";
    return known ? `Your name is **${known}**.` : "You have not told me your name yet.";
  }
  const given = nameIn(question);
  if (given === undefined) return undefined;
  return language === "zh"
    ? `你好，**${given}**！我记住了。`
    : `Nice to meet you, **${given}**! I will remember your name.`;
}

function nameIn(text: string): string | undefined {
  const english =
    /\b(?:[Mm]y name(?: is|['’]s)|[Ii](?: am|['’]m) called|[Cc]all me(?= \p{Lu})) +([\p{L}\p{M}'’-]+(?: \p{Lu}[\p{L}\p{M}'’-]*)*)/u;
  const chinese = /(?:我叫|我的名字[是叫]|叫我)\s*([\p{L}\p{M}·]{1,20}?)(?=[吧啊呀哦]?(?:[^\p{L}\p{M}·]|$))/u;
  const found = (english.exec(text) ?? chinese.exec(text))?.[1];
  return found && !/什么|啥/.test(found) ? found : undefined;
}

function recall({ language, question, earlier }: Talk): string | undefined {
  const pattern =
    /\bwhat (did|have) i (just |ever )?(say|said|ask|asked|tell|told|write|written)|\bwhat i (just )?(said|asked|told|wrote)|\bwhat was my (first|last|previous)|我.{0,8}(说|问|讲)(了|过|的)?(些|是)?(什么|啥)/i;
  if (!pattern.test(question)) return undefined;
  const chinese = language === "zh";
  if (earlier.length === 0)
    return chinese ? "这是你说的第一句话，之前什么也没说。" : "This is your first message.";
  const first = /\bfirst\b|第一|最开始|最初/i.test(question);
  const quoted = quote(earlier.at(first ? 0 : -1) ?? "");
  if (first) return `${chinese ? "你一开始说的是：" : "The first thing you said was:"}\n\n${quoted}`;
  return `${chinese ? "你刚才说：" : "Your previous message was:"}\n\n${quoted}`;
}

function count({ language, question, earlier }: Talk): string | undefined {
  const pattern =
    /\bhow many (messages|questions|times|turns|things)\b|(几|多少)(个问题|条消息|条|句话?|次|轮)/i;
  if (!pattern.test(question)) return undefined;
  const number = earlier.length + 1;
  if (language === "zh") return `算上这一条，你一共说了 **${number}** 条消息。`;
  return `You have sent **${number}** message${number === 1 ? "" : "s"}, including this one.`;
}

function length({ language, question }: Talk): string | undefined {
  const amount = amountIn(question);
  if (!amount) return undefined;
  const text = writeAtLength(language, amount);
  if (amount.count <= MAX_SAMPLE) return text;
  return `${language === "zh" ? "我最多写二十万字符。" : "I can write at most 200,000 characters."}\n\n${text}`;
}

const LONG: Amount = { count: 6000, unit: "characters" };
const TIMES: Readonly<Record<string, number>> = { k: 1000, 百: 100, 千: 1000, 万: 10_000 };
const DIGITS = "零一二三四五六七八九十";

/** Reads "5000 characters", "5k words", "3000 字", "三千字" or "a long answer". A number below 20 is not taken as a length. */
function amountIn(question: string): Amount | undefined {
  const match =
    /(\d[\d,]{0,11}(?:\.\d{1,3})?|[一二两三四五六七八九十])[\s-]{0,3}(?:(k|百|千|万)[\s-]{0,3})?(?:个\s?)?(characters?|chars?|letters?|words?|字|词)/i.exec(
      question,
    );
  if (!match)
    return /\blong (answer|text|reply|story|essay)|长(的)?(回答|回复|答案|文|故事)/i.test(question)
      ? LONG
      : undefined;
  const [, figure = "", times = "", unit = ""] = match;
  const digits = /\d/.test(figure)
    ? Number(figure.replaceAll(",", ""))
    : DIGITS.indexOf(figure.replace("两", "二"));
  const count = Math.ceil(digits * (TIMES[times.toLowerCase()] ?? 1));
  return count >= 20 ? { count, unit: /^w/i.test(unit) ? "words" : "characters" } : undefined;
}

function sum({ language, question }: Talk): string | undefined {
  const found = findSum(question);
  return found && showSum(found, language);
}

function showSum({ expression, value }: Sum, language: DemoLanguage): string {
  if (value !== undefined) return `\`${expression} = ${value}\``;
  return language === "zh" ? `\`${expression}\` 没有结果。` : `\`${expression}\` has no value.`;
}

function why({ language, question, earlier, lastAnswer }: Talk): string | undefined {
  const before = earlier.at(-1);
  if (before === undefined || lastAnswer === undefined || !/^(but )?why\b|为什么|为啥/i.test(question))
    return undefined;
  if (language === "zh")
    return `你问的是：\n\n${quote(before)}\n\n我的回答是：\n\n${quote(lastAnswer)}\n\n为什么会这样，要真正的模型才能解释。`;
  return `You asked:\n\n${quote(before)}\n\nI answered:\n\n${quote(lastAnswer)}\n\nOnly a real model can explain why.`;
}

function markdown({ language, question }: Talk): string | undefined {
  const pattern =
    /\b(markdown|formatting|(show|write|give)\b.{0,60}\b(table|list|code))\b|格式|排版|(写|给|来|显示).{0,40}(表格|列表|代码)/i;
  return pattern.test(question) ? showMarkdown(language) : undefined;
}

function greeting({ language, question }: Talk): string | undefined {
  if (!/^(hi|hello|hey|good (morning|afternoon|evening))\b|^(你好|您好|嗨|早上好|晚上好)/i.test(question))
    return undefined;
  return `${language === "zh" ? "你好！" : "Hello!"} ${about(language)}`;
}

function introduce({ language, question, earlier }: Talk): string {
  if (!question) return about(language);
  const number = earlier.length + 1;
  const intro =
    language === "zh"
      ? `这是你的第 ${number} 条消息，你说：`
      : `This is message number ${number} from you. You said:`;
  return `${intro}\n\n${quote(question)}\n\n${about(language)}`;
}

function about(language: DemoLanguage): string {
  if (language === "zh") {
    return (
      "我是离线的**演示模型**，没有智能，也不联网：我只记得这次对话（“我刚才说了什么”），会算简单的算式（“1+1=几”），" +
      "会按要求写长文（“写 3000 字”、“markdown”）。\n\n要得到真正的回答，请设置 `OPENAI_API_KEY`，" +
      "或者用 `OPENAI_BASE_URL` 指向自己的服务（例如 Ollama），然后重新启动。"
    );
  }
  return (
    "I am an offline **demo model** without intelligence or network access. I remember this conversation (“what " +
    "did I say before?”), do simple arithmetic (“what is 12*3?”) and write long texts (“write 5000 characters”, " +
    "“show markdown”).\n\nFor real answers, set `OPENAI_API_KEY`, or point `OPENAI_BASE_URL` to your own service, " +
    "such as Ollama, and restart."
  );
}

/** The longest quotation, in code points. */
const MAX_QUOTED = 500;

function quote(text: string): string {
  const characters = Array.from(text.trim());
  const quoted =
    characters.length > MAX_QUOTED ? `${characters.slice(0, MAX_QUOTED).join("")}…` : text.trim();
  return quoted.replace(/^/gm, "> ");
}
