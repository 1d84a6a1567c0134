import { z } from "zod";
import { invalidForm } from "./refusal.ts";

/** A button below a message. */
export interface SimulatedButton {
  readonly label: string;
  readonly id: string;
}

/** API reference, "Message Components". */
const Rows = z
  .array(
    z.object({
      type: z.literal(1),
      components: z
        .array(
          z.object({
            type: z.literal(2),
            style: z.int().min(1).max(4),
            label: z.string().min(1).max(80),
            custom_id: z.string().min(1).max(100),
          }),
        )
        .min(1)
        .max(5),
    }),
  )
  .max(5);

/** Validates `components` as Discord does and returns the buttons; undefined if the field is absent. */
export function readButtons(components: unknown): readonly SimulatedButton[] | undefined {
  if (components === undefined || components === null) return undefined;
  const { data, error } = Rows.safeParse(components);
  if (!data) throw invalidForm("components", "BASE_TYPE_CHOICES", error.issues[0]?.message ?? "");
  const buttons = data.flatMap((row) => row.components.map(({ label, custom_id: id }) => ({ label, id })));
  if (new Set(buttons.map(({ id }) => id)).size < buttons.length) {
    throw invalidForm(
      "components",
      "COMPONENT_CUSTOM_ID_DUPLICATED",
      "Component custom id cannot be duplicated",
    );
  }
  return buttons;
}
