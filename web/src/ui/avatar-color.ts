/** How many avatar colours the tokens name. */
export const avatarColors = 12;

/** The colour of a person for life, from 1 to {@link avatarColors}: the same id gives the same one everywhere. */
export function avatarColorOf(id: string): number {
  // FNV-1a: ids made in one moment differ in few bits and must still spread over all colours.
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  hash ^= hash >>> 15;
  return ((hash >>> 0) % avatarColors) + 1;
}

/** Letters that are one code unit each and never part of a longer grapheme in a name made of nothing else. */
const plainName = /^[\x21-\x7e가-힣]+$/u;

// Made when first needed: the rules for taking apart all scripts take a slow phone a tenth of a second to load.
let segmenter: Intl.Segmenter | undefined;

function firstGraphemes(text: string, count: number): string {
  if (plainName.test(text)) return text.slice(0, count);
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  let taken = "";
  for (const { segment } of segmenter.segment(text)) {
    if (count-- <= 0) break;
    taken += segment;
  }
  return taken;
}

/** One or two letters for a name: initials, or the given name of a Korean one. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const [first = "?", second] = words;
  if (/^[가-힣]{3}$/u.test(first) && !second) return first.slice(1);
  if (/^[가-힣]/u.test(first)) return firstGraphemes(first, 2);
  return (firstGraphemes(first, 1) + (second ? firstGraphemes(second, 1) : "")).toUpperCase();
}
