import { runeCount } from "../../ui/rune-count";

/** From this part of the limit on the length is shown. */
export const lengthShownFrom = 0.8;

/** How many characters a text has too many; 0 where there is no limit or it is kept. */
export function runesOver(text: string, limit: number): number {
  // No more characters than code units: most texts need not be counted.
  if (limit === 0 || text.length <= limit) return 0;
  return Math.max(0, runeCount(text.trim()) - limit);
}
