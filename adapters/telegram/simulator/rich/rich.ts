/** A rich message as Telegram keeps it, in the shape in which the Bot API tells of it. */
export interface SimulatedRich {
  readonly blocks: readonly RichBlock[];
  readonly is_rtl?: true;
}

/** Text, a list of texts, or one in some style: https://core.telegram.org/bots/api#richtext. */
export type RichText = string | readonly RichText[] | RichStyle;

interface RichStyle {
  readonly type: string;
  readonly text?: RichText;
  readonly url?: string;
  readonly expression?: string;
}

/** https://core.telegram.org/bots/api#richblock, as far as this simulator knows them. */
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

/** A text without its styles; a formula is its source between dollars. */
export function plain(text: RichText): string {
  if (typeof text === "string") return text;
  if ("type" in text) return text.expression === undefined ? plain(text.text ?? "") : `$${text.expression}$`;
  return text.map(plain).join("");
}

/** What a person reads, block by block. */
export function readBlocksAloud(blocks: readonly RichBlock[]): string {
  return blocks
    .map((block) => {
      switch (block.type) {
        case "divider":
          return "———";
        case "mathematical_expression":
          return `$$${block.expression}$$`;
        case "list":
          return block.items.map(readItemAloud).join("\n");
        case "blockquote":
          return readBlocksAloud(block.blocks);
        case "table":
          return block.cells.map((row) => row.map(({ text = "" }) => plain(text)).join(" | ")).join("\n");
        default:
          return plain(block.text);
      }
    })
    .join("\n\n");
}

function readItemAloud({ label, blocks, has_checkbox, is_checked }: RichItem): string {
  const marker = has_checkbox ? (is_checked ? "☑" : "☐") : label;
  return `${marker} ${readBlocksAloud(blocks).replaceAll("\n\n", "\n")}`;
}
