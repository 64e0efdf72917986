/** From this part of the limit on the length is shown. */
export const lengthShownFrom = 0.8;

/** How many characters, as the server counts them, a text has. */
export function runesOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}

/** How many characters a text has too many; 0 where there is no limit or it is kept. */
export function runesOver(text: string, limit: number): number {
  // No more characters than code units: most texts need not be counted.
  if (limit === 0 || text.length <= limit) return 0;
  return Math.max(0, runesOf(text.trim()) - limit);
}
