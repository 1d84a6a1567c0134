import type { Choice } from "../../../src/text/dialect/dialect.ts";

/** API reference, "Message Components": the most characters that a button carries, and that stand on it. */
const MAX_ID = 100;
const MAX_LABEL = 80;
/** Five rows of five. */
const IN_A_ROW = 5;
const MAX_BUTTONS = 25;

/** Types of components, and the grey style of a button (API reference). Not from discord.js, which is slow to load. */
const ACTION_ROW = 1;
const BUTTON = 2;
const SECONDARY = 2;

/** The command that a press of the button is. */
function idOf({ command, text }: Choice): string {
  return `/${command} ${text}`;
}

/** Whether a choice can be a button; `index` is its place among the others. */
export function fitsButton(choice: Choice, index: number): boolean {
  const { label } = choice;
  return (
    index < MAX_BUTTONS && label.trim() !== "" && label.length <= MAX_LABEL && idOf(choice).length <= MAX_ID
  );
}

/** The rows of buttons for these choices, as a message has them. No two of them carry the same. */
export function componentsFor(choices: readonly Choice[]): object[] {
  const buttons = [...new Map(choices.map((choice) => [idOf(choice), choice]))].map(
    ([custom_id, { label }]) => ({
      type: BUTTON,
      style: SECONDARY,
      label,
      custom_id,
    }),
  );
  return Array.from({ length: Math.ceil(buttons.length / IN_A_ROW) }, (_, row) => ({
    type: ACTION_ROW,
    components: buttons.slice(row * IN_A_ROW, (row + 1) * IN_A_ROW),
  }));
}
