/** What ends the code block in which a text breaks off, so that what follows is no code; else nothing. */
export function closingFence(text: string): string {
  let open: { prefix: string; fence: string } | undefined;
  for (const [, prefix = "", fence = "", rest = ""] of text.matchAll(/^([ \t>]*)(`{3,}|~{3,})(.*)/gm)) {
    if (!open) open = { prefix, fence };
    else if (fence.startsWith(open.fence) && !rest.trim()) open = undefined;
  }
  return open ? `\n${open.prefix}${open.fence}` : "";
}
