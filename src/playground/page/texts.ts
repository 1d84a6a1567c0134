const en = {
  title: "Colloquy playground",
  person: "Who writes",
  hint: "Write a message…",
  hintDiscord: "Write a message, or /ask …, /reset",
  journey: "The way of the last message",
  works: "the worker runs",
  starts: "the worker starts…",
  killed: "the worker is dead, and comes back…",
  slow: "Slow model",
  slowHint: "The model takes its time",
  long: "Long answers",
  longHint: "Answers of several messages",
  busy: "Model: 429",
  busyHint: "The model refuses the next requests",
  flood: "Telegram: 429",
  floodHint: "Telegram refuses the next writes as too fast",
  drop: "Drop sockets",
  dropHint: "The connections to Telegram and Discord break",
  kill: "Kill the worker",
  killHint: "kill -9: what it had in hand is finished by the next one",
};

export type TextName = keyof typeof en;

const zh: typeof en = {
  title: "Colloquy 试验场",
  person: "谁在写",
  hint: "输入消息……",
  hintDiscord: "输入消息，或 /ask ……、/reset",
  journey: "最近一条消息的经过",
  works: "工作进程正常",
  starts: "工作进程正在启动……",
  killed: "工作进程已被杀死，马上回来……",
  slow: "慢速模型",
  slowHint: "模型回答得很慢",
  long: "长回答",
  longHint: "回答分成多条消息",
  busy: "模型 429",
  busyHint: "模型拒绝接下来的请求",
  flood: "Telegram 429",
  floodHint: "Telegram 以过快为由拒绝接下来的发送",
  drop: "断开连接",
  dropHint: "与 Telegram 和 Discord 的连接中断",
  kill: "杀死工作进程",
  killHint: "kill -9：没做完的事由下一个进程完成",
};

/** The language of the browser, where there is one for it. */
export function locale(): string {
  return navigator.languages.find((tag) => /^(en|zh)\b/.test(tag)) ?? "en";
}

/** A sentence in that language. */
export function say(name: TextName): string {
  return (locale().startsWith("zh") ? zh : en)[name];
}
