import { h, iconButton } from "./dom.ts";
import { say } from "./texts.ts";

/** How many images the server accepts with a message. */
const MAX_IMAGES = 4;

/** The longest side that models make use of, in pixels. Larger images are scaled down before they are sent. */
const MAX_PIXELS = 1568;

/** Files up to this size are sent as they are, in bytes. */
const MAX_UNCHANGED = 400_000;

const KNOWN_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** The images of the message that is being written. */
export interface Attached {
  /** Asks for image files. */
  readonly button: HTMLElement;
  /** Shows the attached images. */
  readonly element: HTMLElement;
  /** As `data:` URLs. */
  readonly urls: readonly string[];
  add(files: Iterable<File | Blob>): Promise<void>;
  set(urls: readonly string[]): void;
}

/** Attaches images: by a button, or as files that are pasted or dropped. `notify` shows why an image is refused. */
export function attachImages(notify: (text: string) => void): Attached {
  let urls: string[] = [];
  const input = h("input", {
    type: "file",
    accept: KNOWN_TYPES.join(),
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
      if (urls.length >= MAX_IMAGES) return notify(say("tooManyImages", { count: String(MAX_IMAGES) }));
      try {
        urls.push(await shrink(file));
      } catch {
        notify(say("notAnImage", { name: "name" in file ? file.name : "" }));
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

/** Shows the images of a question, each with a link to its full size. */
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

/** Loads an image from the server as a `data:` URL. */
export async function fetchImage(address: string): Promise<string> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(response.statusText);
  return asUrl(await response.blob());
}

/** Scales an image down if it is large, and returns it as a `data:` URL. Rejects if the file is not an image. */
async function shrink(file: Blob): Promise<string> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, MAX_PIXELS / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.size <= MAX_UNCHANGED && KNOWN_TYPES.includes(file.type)) return asUrl(file);
  const canvas = h("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser has no canvas");
  // JPEG has no transparency.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}

function asUrl(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error("The file could not be read"));
    reader.readAsDataURL(file);
  });
}
