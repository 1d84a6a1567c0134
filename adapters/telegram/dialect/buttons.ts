import type { Choice } from "../../../src/text/dialect/dialect.ts";

/** A button of an `inline_keyboard`. Pressing it sends `callback_data` back to the bot. */
export interface Button {
  readonly text: string;
  readonly callback_data: string;
}

/** The limit of `callback_data`, in bytes: https://core.telegram.org/bots/api#inlinekeyboardbutton. */
const MAX_BYTES = 64;

/** The most buttons of a message (TDLib's reply markup). */
const MAX_BUTTONS = 100;

/** Buttons in a row: more would be too narrow to read on a phone. */
const BUTTONS_PER_ROW = 2;

/** The command that pressing the button issues. */
function dataOf({ command, text }: Choice): string {
  return `/${command} ${text}`;
}

/** Whether a choice can be a button; `index` is its position among the buttons. */
export function fitsButton(choice: Choice, index: number): boolean {
  return index < MAX_BUTTONS && choice.label.trim() !== "" && Buffer.byteLength(dataOf(choice)) <= MAX_BYTES;
}

/** Arranges the choices in rows of buttons. */
export function buttonsFor(choices: readonly Choice[]): Button[][] {
  const buttons = choices.map((choice) => ({ text: choice.label, callback_data: dataOf(choice) }));
  return Array.from({ length: Math.ceil(buttons.length / BUTTONS_PER_ROW) }, (_, row) =>
    buttons.slice(row * BUTTONS_PER_ROW, (row + 1) * BUTTONS_PER_ROW),
  );
}
