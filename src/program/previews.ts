import type { Settings } from "../../config/settings.ts";
import { createPreview, type Preview } from "./preview.ts";

/** Creates the previews of all platforms. `color`: pages for people may contain ANSI styles. */
export async function createPreviews(
  settings: Pick<Settings, "TELEGRAM_RICH">,
  color: boolean,
): Promise<Preview[]> {
  // Only parts of the adapters: their clients would take much longer to load.
  const { createTelegramDialect } = await import("../../adapters/telegram/dialect/dialect.ts");
  const { telegramPayload } = await import("../../adapters/telegram/send/payload.ts");
  const { readable } = await import("../../adapters/telegram/dialect/rich-read.ts");
  const { toAnsi } = await import("../../adapters/telegram/dialect/ansi.ts");
  const { createDiscordDialect } = await import("../../adapters/discord/dialect/dialect.ts");
  const { discordPayload } = await import("../../adapters/discord/send/payload.ts");
  const dingtalk = await import("../../adapters/dingtalk/index.ts");
  const web = await import("../../adapters/web/index.ts");
  const console = await import("../../adapters/console/index.ts");
  return [
    createPreview({
      name: "telegram",
      dialect: createTelegramDialect({ rich: settings.TELEGRAM_RICH }),
      payload: telegramPayload,
      show: (body) => (color ? toAnsi(body) : readable(body).text),
      text: ({ text, rich = "" }) => text || rich,
    }),
    createPreview({
      name: "discord",
      dialect: createDiscordDialect(),
      payload: discordPayload,
      show: ({ content }) => content,
      text: ({ content }) => content,
    }),
    createPreview({
      name: "dingtalk",
      dialect: dingtalk.createDingtalkDialect(),
      payload: dingtalk.dingtalkPayload,
      show: ({ text }) => text,
      text: (body) => dingtalk.dingtalkPayload(body).msgParam,
    }),
    createPreview({
      name: "web",
      dialect: web.createWebDialect(),
      payload: (body) => body,
      show: ({ html }) => html,
      text: ({ html }) => html,
    }),
    createPreview({
      name: "console",
      dialect: console.createConsoleDialect({ color, columns: 80, rows: 22 }),
      payload: (text) => ({ text }),
      show: (text) => text,
      text: (text) => text,
    }),
  ];
}
