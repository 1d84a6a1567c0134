import type { Run } from "../../../adapters/console/simulator.ts";
import type { Shape } from "../protocol.ts";
import { linked, styled } from "./shapes.ts";

/** Shows one row of a terminal. */
export function showRow(runs: readonly Run[]): Shape[] {
  return runs.map(({ text, styles, href }) => {
    const shape = styles.reduce<Shape>((inner, style) => styled(style, inner), text);
    return href === undefined ? shape : linked(href, [shape]);
  });
}
