import type { Seq } from "../protocol/ids";

/** A run of numbers of a room's log, both ends included. */
export interface Range {
  readonly from: Seq;
  readonly to: Seq;
}

/**
 * Which numbers of a room are known: ascending, apart from each other by at least one number. What lies between two
 * ranges is a hole. Immutable; every function returns the same set when nothing changes.
 */
export type RangeSet = readonly Range[];

export const noRanges: RangeSet = [];

/** The index of the first range that ends at or after `seq`; `length` if none does. */
function firstEndingFrom(ranges: RangeSet, seq: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.to < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The range that contains `seq`. */
export function rangeAt(ranges: RangeSet, seq: Seq): Range | undefined {
  const range = ranges[firstEndingFrom(ranges, seq)];
  return range !== undefined && range.from <= seq ? range : undefined;
}

/** Whether every number from `from` to `to` is known; true of an empty span. */
export function covers(ranges: RangeSet, from: Seq, to: Seq): boolean {
  if (from > to) return true;
  const range = rangeAt(ranges, from);
  return range !== undefined && range.to >= to;
}

/** The set with the numbers from `from` to `to` in it; joins what then touches. */
export function addRange(ranges: RangeSet, from: Seq, to: Seq): RangeSet {
  if (covers(ranges, from, to)) return ranges;
  const start = firstEndingFrom(ranges, from - 1);
  let end = start;
  let joined: Range = { from, to };
  for (let next = ranges[end]; next !== undefined && next.from <= to + 1; next = ranges[++end]) {
    joined = {
      from: next.from < joined.from ? next.from : joined.from,
      to: next.to > joined.to ? next.to : joined.to,
    };
  }
  return [...ranges.slice(0, start), joined, ...ranges.slice(end)];
}

/** The set without the numbers below `from`. */
export function dropBelow(ranges: RangeSet, from: Seq): RangeSet {
  const start = firstEndingFrom(ranges, from);
  const first = ranges[start];
  if (start === 0 && (first === undefined || first.from >= from)) return ranges;
  if (first === undefined) return noRanges;
  return [{ from: first.from < from ? from : first.from, to: first.to }, ...ranges.slice(start + 1)];
}
