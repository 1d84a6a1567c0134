import { z } from "zod";
import { ConfigError } from "../errors.ts";
import type { Dialect, Limits } from "../text/dialect/dialect.ts";
import { createPager } from "../text/paginate/paginate.ts";

/** Shows how Markdown looks on one platform, without the platform. */
export interface Preview {
  readonly name: string;
  /** The payloads of the messages, for programs. `ended` is false while the text is still incomplete. */
  payloads(markdown: string, ended: boolean): readonly object[];
  /** The messages for people, each below a line with its size. */
  pages(markdown: string): string[];
}

export interface PreviewOptions<Body> {
  readonly name: string;
  readonly dialect: Dialect<Body>;
  /** The payload that would be sent. */
  readonly payload: (body: Body) => object;
  /** The message as text for a terminal. */
  readonly show: (body: Body) => string;
  /** The text to which the platform's limit applies. */
  readonly text: (body: Body) => string;
}

/** Creates the preview of one platform. */
export function createPreview<Body>({ name, dialect, payload, show, text }: PreviewOptions<Body>): Preview {
  const pagesOf = (markdown: string, ended: boolean) => createPager(dialect).pages(markdown, ended);
  const { length, unit } = dialect.limits;
  const limit = Number.isFinite(length) ? ` of ${length}` : "";
  return {
    name,
    payloads: (markdown, ended) => pagesOf(markdown, ended).map(payload),
    pages: (markdown) =>
      pagesOf(markdown, true).map(
        (body, index, { length: count }) =>
          `── ${name}, message ${index + 1} of ${count}: ${measure(text(body), unit)}${limit} ${unit} ──\n${show(body)}`,
      ),
  };
}

const Line = z.object({
  id: z.union([z.string(), z.number()]),
  markdown: z.string(),
  cuts: z.array(z.int().nonnegative()).optional(),
});

/**
 * Converts one line of JSON, `{id, markdown, cuts?}`, into another, `{id, messages, growing?}`. `growing` contains the
 * messages for each cut: what is shown while only that many UTF-16 units have arrived. Throws a `ConfigError` if the line
 * is invalid.
 */
export function previewLine(line: string, preview: Preview): string {
  const { id, markdown, cuts } = readLine(line);
  const growing = cuts?.map((cut) => preview.payloads(markdown.slice(0, cut), false));
  return JSON.stringify({ id, messages: preview.payloads(markdown, true), ...(growing && { growing }) });
}

function readLine(line: string): z.infer<typeof Line> {
  try {
    return Line.parse(JSON.parse(line));
  } catch (cause) {
    throw new ConfigError(
      "preview_line",
      `This line is not JSON such as {"id": "1", "markdown": "…", "cuts": [5]}: ${line.slice(0, 60)}`,
      { cause: cause instanceof z.ZodError ? new Error(z.prettifyError(cause)) : cause },
    );
  }
}

function measure(text: string, unit: Limits["unit"]): number {
  switch (unit) {
    case "utf16":
      return text.length;
    case "code points":
      return Array.from(text).length;
    case "bytes":
      return Buffer.byteLength(text);
    case "lines":
      return text.split("\n").length;
  }
}
