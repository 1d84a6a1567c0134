import type { Choice } from "../../../src/text/dialect/dialect.ts";

/** A button below a message, as `inline_keyboard` has it: a press sends `callback_data` back. */
export interface Button {
  readonly text: string;
  readonly callback_data: string;
}

/** The most bytes that a button can carry: https://core.telegram.org/bots/api#inlinekeyboardbutton. */
const MAX_BYTES = 64;

/** More are refused (TDLib's reply markup). */
const MAX_BUTTONS = 100;

/** So many stand side by side and can still be read on a telephone. */
const IN_A_ROW = 2;

/** The command that a press of the button is. */
function dataOf({ command, text }: Choice): string {
  return `/${command} ${text}`;
}

/** Whether a choice can be a button; `index` is its place among the others. */
export function fitsButton(choice: Choice, index: number): boolean {
  return index < MAX_BUTTONS && choice.label.trim() !== "" && Buffer.byteLength(dataOf(choice)) <= MAX_BYTES;
}

/** The rows of buttons for these choices. */
export function buttonsFor(choices: readonly Choice[]): Button[][] {
  const buttons = choices.map((choice) => ({ text: choice.label, callback_data: dataOf(choice) }));
  return Array.from({ length: Math.ceil(buttons.length / IN_A_ROW) }, (_, row) =>
    buttons.slice(row * IN_A_ROW, (row + 1) * IN_A_ROW),
  );
}
