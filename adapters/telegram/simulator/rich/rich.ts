/** A stored rich message in the Bot API's format. */
export interface SimulatedRich {
  readonly blocks: readonly RichBlock[];
  readonly is_rtl?: true;
}

/** A text, a list of texts, or a styled text: https://core.telegram.org/bots/api#richtext. */
export type RichText = string | readonly RichText[] | RichStyle;

interface RichStyle {
  readonly type: string;
  readonly text?: RichText;
  readonly url?: string;
  readonly expression?: string;
}

/** The blocks that this simulator supports: https://core.telegram.org/bots/api#richblock. */
export type RichBlock =
  | { readonly type: "paragraph"; readonly text: RichText }
  | { readonly type: "heading"; readonly text: RichText; readonly size: number }
  | { readonly type: "pre"; readonly text: RichText; readonly language?: string }
  | { readonly type: "divider" }
  | { readonly type: "mathematical_expression"; readonly expression: string }
  | { readonly type: "list"; readonly items: readonly RichItem[] }
  | { readonly type: "blockquote"; readonly blocks: readonly RichBlock[] }
  | { readonly type: "expandable_blockquote"; readonly text: RichText }
  | { readonly type: "table"; readonly cells: readonly (readonly RichCell[])[]; readonly is_bordered?: true };

export interface RichItem {
  readonly label: string;
  readonly blocks: readonly RichBlock[];
  readonly has_checkbox?: true;
  readonly is_checked?: true;
  readonly value?: number;
}

export interface RichCell {
  readonly text?: RichText;
  readonly is_header?: true;
  readonly align: string;
  readonly valign: "middle";
}

/** The plain text of a rich text. A formula becomes its source between dollar signs. */
export function plain(text: RichText): string {
  if (typeof text === "string") return text;
  if ("type" in text) return text.expression === undefined ? plain(text.text ?? "") : `$${text.expression}$`;
  return text.map(plain).join("");
}

/** The plain text of blocks. */
export function plainBlocks(blocks: readonly RichBlock[]): string {
  return blocks
    .map((block) => {
      switch (block.type) {
        case "divider":
          return "———";
        case "mathematical_expression":
          return `$$${block.expression}$$`;
        case "list":
          return block.items.map(plainItem).join("\n");
        case "blockquote":
          return plainBlocks(block.blocks);
        case "table":
          return block.cells.map((row) => row.map(({ text = "" }) => plain(text)).join(" | ")).join("\n");
        default:
          return plain(block.text);
      }
    })
    .join("\n\n");
}

function plainItem({ label, blocks, has_checkbox, is_checked }: RichItem): string {
  const marker = has_checkbox ? (is_checked ? "☑" : "☐") : label;
  return `${marker} ${plainBlocks(blocks).replaceAll("\n\n", "\n")}`;
}
