/**
 * How well letters match a name, higher is better; null where they do not. The letters must come in order; those at
 * the beginning of words and those in a row count more, so that "dsg" finds "design" and "pd" finds "product design".
 */
export function fuzzyScore(name: string, query: string): number | null {
  const letters = query.toLowerCase().replace(/\s+/gu, "");
  if (letters === "") return 0;
  const text = name.toLowerCase();
  let score = 0;
  let from = 0;
  let last = -2;
  for (const letter of letters) {
    const at = bestPlace(text, letter, from, last);
    if (at < 0) return null;
    if (at === last + 1) score += 4;
    if (startsWord(text, at)) score += 6;
    score -= Math.min(at - from, 4) * 0.5;
    last = at + letter.length - 1;
    from = at + letter.length;
  }
  if (text.startsWith(letters)) score += 12;
  // Of two that match alike the shorter is meant.
  return score - text.length * 0.05;
}

function startsWord(text: string, at: number): boolean {
  return at === 0 || /[\s_\-./#]/u.test(text[at - 1]!);
}

/** The next place of a letter: right after the last one if it is there, else where a word begins, else the first. */
function bestPlace(text: string, letter: string, from: number, last: number): number {
  const first = text.indexOf(letter, from);
  if (first < 0 || first === last + 1 || startsWord(text, first)) return first;
  for (let at = first; at >= 0; at = text.indexOf(letter, at + 1)) {
    if (startsWord(text, at)) return at;
  }
  return first;
}
