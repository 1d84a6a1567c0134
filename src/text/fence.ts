/**
 * The closing fence for a text that ends inside a code block, so that the text after it is not code; otherwise empty.
 */
export function closingFence(text: string): string {
  let open: { prefix: string; fence: string } | undefined;
  for (const [, prefix = "", fence = "", rest = ""] of text.matchAll(/^([ \t>]*)(`{3,}|~{3,})(.*)/gm)) {
    if (!open) open = { prefix, fence };
    else if (fence.startsWith(open.fence) && !rest.trim()) open = undefined;
  }
  return open ? `\n${open.prefix}${open.fence}` : "";
}
