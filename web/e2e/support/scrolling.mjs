import { timeline } from "./steps.mjs";

/**
 * Turns the wheel over the messages and follows the row under the eye, frame by frame as they are painted, until all is
 * still. Returns how far it went, how far it went astray, and whether an end is reached.
 */
export async function wheel(page, byPx) {
  const log = timeline(page);
  const followed = log.evaluateHandle((view, wantedPx) => {
    const rowSelector = "[data-row]";
    const stillFramesMin = 6;
    const framesMax = 600;
    const middle = view.getBoundingClientRect().top + view.clientHeight / 2;
    const rows = [...view.querySelectorAll(rowSelector)];
    const eye = rows.find((row) => row.getBoundingClientRect().bottom > middle) ?? rows.at(-1);
    const topOf = () =>
      view.querySelector(`${rowSelector}[data-row="${CSS.escape(eye.dataset.row)}"]`)?.getBoundingClientRect()
        .top;
    const result = { movedPx: 0, astrayPx: 0 };
    let last = topOf();
    let still = 0;
    let frames = 0;
    // A message is handled after the frame that posted it was painted: what it sees is what a person saw.
    result.done = new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        const top = topOf();
        if (top === undefined) return resolve();
        const step = top - last;
        last = top;
        result.movedPx += step;
        // The wheel moves rows one way only, and never further than it was turned.
        if (wantedPx > 0 ? step > 0 : step < 0) result.astrayPx = Math.max(result.astrayPx, Math.abs(step));
        result.astrayPx = Math.max(result.astrayPx, Math.abs(result.movedPx) - Math.abs(wantedPx));
        still = step === 0 && view.querySelector("[role=status]") === null ? still + 1 : 0;
        if ((still >= stillFramesMin && frames > stillFramesMin * 2) || frames > framesMax) return resolve();
        next();
      };
      const next = () =>
        requestAnimationFrame(() => {
          frames++;
          channel.port2.postMessage(null);
        });
      next();
    });
    return result;
  }, byPx);
  const handle = await followed;
  await page.mouse.wheel(0, byPx);
  return handle.evaluate(
    async (result, view) => {
      await result.done;
      return {
        movedPx: result.movedPx,
        astrayPx: result.astrayPx,
        atTop: view.scrollTop <= 0,
        atBottom: view.scrollHeight - view.scrollTop - view.clientHeight <= 1,
      };
    },
    await log.elementHandle(),
  );
}

/** Puts the pointer over the messages, where the wheel turns them. */
export async function pointAtMessages(page) {
  const box = await timeline(page).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
}
