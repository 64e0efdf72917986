import assert from "node:assert/strict";
import { Api } from "./support/api.mjs";
import { violations } from "./support/axe.mjs";
import { makeHive } from "./support/hive.mjs";
import { desktop, phone, scenario } from "./support/scenario.mjs";
import { stops } from "./support/tour.mjs";
import { until } from "./support/wait.mjs";

for (const [size, viewport] of [
  ["wide", desktop],
  ["narrow", phone],
]) {
  scenario(`axe finds nothing on any screen, ${size}`, async (world) => {
    const hive = await makeHive(world.origin);
    const { url } = await hive.api.mina.invite(hive.rooms.design.id);
    const places = { rooms: hive.rooms, invite: new URL(url).pathname };
    const pages = await pagesOf(world, hive, { viewport });
    const found = [];
    for (const stop of stops) {
      const page = pages[stop.who];
      if (stop.expects) world.guard.allow(stop.expects);
      await page.goto(typeof stop.path === "function" ? stop.path(places) : stop.path);
      const visit = async () => {
        await stop.go(page);
        await stillness(page);
        const note = (scheme) => (violation) => found.push(`${stop.name}, ${scheme}: ${violation}`);
        (await violations(page)).forEach(note("light"));
        // In the dark only colours are different.
        await page.emulateMedia({ colorScheme: "dark" });
        await stillness(page);
        (await violations(page, ["color-contrast"])).forEach(note("dark"));
        await page.emulateMedia({ colorScheme: "light" });
      };
      if (stop.offline) await world.guard.duringOutage(visit);
      else await visit();
      await page.context().setOffline(false);
    }
    assert.deepEqual(found, []);
  });
}

/** Waits until nothing moves any more that will come to an end: half faded words have half their contrast. */
function stillness(page) {
  return until("nothing moves", () =>
    page.evaluate(() =>
      document
        .getAnimations()
        .every(
          (animation) =>
            animation.playState !== "running" || animation.effect?.getComputedTiming().endTime === Infinity,
        ),
    ),
  );
}

/** A page for each kind of visitor. */
async function pagesOf(world, { api }, options) {
  const newcomer = await Api.signUp(world.origin, "nora", "Nora Lind");
  return {
    nobody: await world.stranger(options),
    newcomer: (await world.person("nora", { api: newcomer, ...options })).page,
    mina: (await world.person("mina", { api: api.mina, ...options })).page,
    hana: (await world.person("hana", { api: api.hana, ...options })).page,
  };
}
