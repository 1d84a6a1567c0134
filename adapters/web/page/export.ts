import { call } from "./client.ts";
import { h, show } from "./dom.ts";
import { say } from "./texts.ts";

const FORMATS = { md: "exportMd", jsonl: "exportJsonl", json: "exportJson" } as const;

/** Asks for a format and saves the conversation as a file. */
export function offerExport(thread: string, failed: (error: unknown) => void): void {
  const formats = Object.keys(FORMATS) as (keyof typeof FORMATS)[];
  const buttons = formats.map((format) =>
    h(
      "button",
      { type: "button", onclick: () => void save(thread, format).catch(failed) },
      say(FORMATS[format]),
    ),
  );
  show(say("export"), say("close"), h("div", { class: "formats" }, ...buttons));
}

async function save(thread: string, format: keyof typeof FORMATS): Promise<void> {
  const { name, content } = await call<{ name: string; content: string }>(
    "GET",
    `conversations/${thread}/export?format=${format}`,
  );
  const link = h("a", {
    href: URL.createObjectURL(new Blob([content], { type: "text/plain" })),
    download: name,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
