import { setTimeout as delay } from "node:timers/promises";

/** How long anything may take on a machine that does much else; nothing waits for longer than it must. */
export const patienceMs = 30_000;

const pollMs = 40;

/** Asks again and again until the answer is true, and returns it. `what` is a word or gives one. */
export async function until(what, ask, withinMs = patienceMs) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline)
      throw new Error(
        `waited ${withinMs / 1000} s in vain until ${typeof what === "function" ? what() : what}`,
      );
    await delay(pollMs);
  }
}

/** Asks again and again until the answer is equal to what is expected, by its JSON. */
export async function settles(what, ask, expected, withinMs = patienceMs) {
  const wanted = JSON.stringify(expected);
  let last;
  await until(
    () => `${what} is ${wanted}; it is ${last}`,
    async () => {
      last = JSON.stringify(await ask());
      return last === wanted;
    },
    withinMs,
  );
}
