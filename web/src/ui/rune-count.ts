/** The length of a text as the server counts it: in Unicode code points, so that an emoji is not two. */
export function runeCount(text: string): number {
  let count = 0;
  // Without an array of them: the composer counts on every key.
  for (let at = 0; at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}
