const firstMs = 500;
const longestMs = 30_000;

/**
 * How long to wait before attempt number `attempt` (0 is the first again), in milliseconds: anywhere up to a bound that
 * doubles each time. The whole span is random, because everybody who lost the same server comes back at once.
 */
export function backoffMs(attempt: number, random: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10)) * random;
}
