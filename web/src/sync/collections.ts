/** A copy of `map` with `key` set, or without it where `value` is undefined; the same map if that is how it is. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V | undefined): ReadonlyMap<K, V> {
  if (map.get(key) === value) return map;
  const next = new Map(map);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
}

/** A copy of a map of lists with that list; an empty list is no entry. */
export function withList<K, V>(
  map: ReadonlyMap<K, readonly V[]>,
  key: K,
  list: readonly V[],
): ReadonlyMap<K, readonly V[]> {
  return withEntry(map, key, list.length > 0 ? list : undefined);
}

/** A copy of `set` with or without `value`; the same set if that is how it is. */
export function withMember<T>(set: ReadonlySet<T>, value: T, member: boolean): ReadonlySet<T> {
  if (set.has(value) === member) return set;
  const next = new Set(set);
  if (member) next.add(value);
  else next.delete(value);
  return next;
}
