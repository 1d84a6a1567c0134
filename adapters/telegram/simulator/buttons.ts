import { z } from "zod";
import { badRequest } from "./refusal.ts";

/** A button below a message. */
export interface SimulatedButton {
  readonly text: string;
  readonly data: string;
}

const Keyboard = z.object({
  inline_keyboard: z.array(z.array(z.object({ text: z.string(), callback_data: z.string() }))),
});

/** The limit of `callback_data`, in bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton. */
const MAX_DATA = 64;

/** The most buttons of a message (TDLib's reply markup). */
const MAX_BUTTONS = 100;

/** Reads the buttons of a `reply_markup`; throws Telegram's refusal if they are invalid. */
export function readButtons(markup: unknown): readonly SimulatedButton[] {
  if (markup === undefined) return [];
  const keyboard = Keyboard.safeParse(markup).data;
  if (!keyboard) throw badRequest("object expected as reply markup");
  const buttons = keyboard.inline_keyboard.flat();
  if (buttons.length > MAX_BUTTONS) throw badRequest("reply markup is too long");
  return buttons.map(({ text, callback_data: data }) => {
    const bytes = Buffer.byteLength(data);
    if (bytes < 1 || bytes > MAX_DATA) throw badRequest("BUTTON_DATA_INVALID");
    if (text.trim() === "") throw badRequest("text buttons are unallowed in the inline keyboard");
    return { text, data };
  });
}
