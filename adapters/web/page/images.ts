import { h, iconButton } from "./dom.ts";
import { say } from "./texts.ts";

/** The server takes so many with a message. */
const MAX_IMAGES = 4;
/** Models see no more than this, in pixels; what is larger is made smaller before it is sent. */
const MAX_PIXELS = 1568;
/** A file that is no larger is sent as it is, in bytes. */
const SMALL = 400_000;
const KNOWN = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** The images that go with what is being written. */
export interface Attached {
  /** The button that asks for images, and what shows those that are there. */
  readonly button: HTMLElement;
  readonly element: HTMLElement;
  /** As `data:` URLs. */
  readonly urls: readonly string[];
  add(files: Iterable<File | Blob>): Promise<void>;
  set(urls: readonly string[]): void;
}

/** Images by a button, or as files that were pasted or dropped. `tell` shows what cannot be sent, and why. */
export function attachImages(tell: (text: string) => void): Attached {
  let urls: string[] = [];
  const input = h("input", {
    type: "file",
    accept: KNOWN.join(),
    multiple: true,
    hidden: true,
    onchange: () => {
      void add([...(input.files ?? [])]);
      input.value = "";
    },
  });
  const element = h("div", { class: "images", hidden: true });
  const button = h(
    "span",
    {},
    input,
    iconButton("picture", say("attach"), () => input.click()),
  );
  return {
    button,
    element,
    get urls() {
      return urls;
    },
    add,
    set: (all) => {
      urls = [...all];
      draw();
    },
  };

  async function add(files: Iterable<File | Blob>): Promise<void> {
    for (const file of files) {
      if (urls.length >= MAX_IMAGES) return tell(say("tooManyImages", { count: String(MAX_IMAGES) }));
      try {
        urls.push(await shrink(file));
      } catch {
        tell(say("notAnImage", { name: "name" in file ? file.name : "" }));
      }
      draw();
    }
  }

  function draw(): void {
    element.hidden = urls.length === 0;
    element.replaceChildren(
      ...urls.map((src, index) =>
        h(
          "span",
          { class: "image" },
          h("img", { src, alt: say("image", { number: String(index + 1) }) }),
          iconButton("close", say("removeImage", { number: String(index + 1) }), () => {
            urls.splice(index, 1);
            draw();
            (element.querySelector("button") ?? button.querySelector("button"))?.focus();
          }),
        ),
      ),
    );
  }
}

/** Images that were sent, each leading to itself in full size. */
export function showImages(addresses: readonly string[]): HTMLElement {
  return h(
    "div",
    { class: "images", hidden: addresses.length === 0 },
    ...addresses.map((src, index) =>
      h(
        "a",
        { class: "image", href: src, target: "_blank", rel: "noopener" },
        h("img", { src, alt: say("image", { number: String(index + 1) }), loading: "lazy" }),
      ),
    ),
  );
}

/** A `data:` URL of what stands at an address of our own. */
export async function fetchImage(address: string): Promise<string> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(response.statusText);
  return asUrl(await response.blob());
}

/** Rejects if it is no image. */
async function shrink(file: Blob): Promise<string> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, MAX_PIXELS / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.size <= SMALL && KNOWN.includes(file.type)) return asUrl(file);
  const canvas = h("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("There is no canvas");
  // JPEG knows no transparency.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}

function asUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error("The file cannot be read"));
    reader.readAsDataURL(file);
  });
}
