import type { Choice } from "../../../src/text/dialect/dialect.ts";

/** Longest `custom_id` and label of a button, in characters (API reference, "Message Components"). */
const MAX_ID_LENGTH = 100;
const MAX_LABEL_LENGTH = 80;
/** A message has at most 5 rows of 5 buttons. */
const ROW_SIZE = 5;
const MAX_BUTTONS = 25;

/** Component types, and the grey style of a button (API reference). Not imported from discord.js, which loads slowly. */
const ACTION_ROW = 1;
const BUTTON = 2;
const SECONDARY = 2;

/** The button's `custom_id`: the command that pressing it sends. */
function idOf({ command, text }: Choice): string {
  return `/${command} ${text}`;
}

/** Whether a choice can be a button; `index` is its position among the choices. */
export function fitsButton(choice: Choice, index: number): boolean {
  const { label } = choice;
  return (
    index < MAX_BUTTONS &&
    label.trim() !== "" &&
    label.length <= MAX_LABEL_LENGTH &&
    idOf(choice).length <= MAX_ID_LENGTH
  );
}

/** The rows of buttons for these choices. Discord refuses duplicate ids, so the last of equal choices counts. */
export function componentsFor(choices: readonly Choice[]): object[] {
  const buttons = [...new Map(choices.map((choice) => [idOf(choice), choice]))].map(
    ([custom_id, { label }]) => ({
      type: BUTTON,
      style: SECONDARY,
      label,
      custom_id,
    }),
  );
  return Array.from({ length: Math.ceil(buttons.length / ROW_SIZE) }, (_, row) => ({
    type: ACTION_ROW,
    components: buttons.slice(row * ROW_SIZE, (row + 1) * ROW_SIZE),
  }));
}
