/**
 * Names of buttons and fields in view that are lower or narrower than a finger: what counts is how far around its middle
 * a touch still meets the target or its label. Links in running text may be smaller.
 */
export function smallTargets(page) {
  const leastPx = 44;
  return page.evaluate((least) => {
    const sizeOf = (target) => {
      const box = target.getBoundingClientRect();
      const held = (target.closest("label") ?? target).getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      const meets = (dx, dy) => {
        const met = document.elementFromPoint(x + dx, y + dy);
        return met !== null && (target.contains(met) || met.closest("label")?.control === target);
      };
      const reach = (stepX, stepY) => {
        let px = 0;
        while (px < least && meets(stepX * (px + 1), stepY * (px + 1))) px++;
        return px;
      };
      return {
        width: Math.max(held.width, reach(-1, 0) + reach(1, 0) + 1),
        height: Math.max(held.height, reach(0, -1) + reach(0, 1) + 1),
      };
    };
    const targets = document.querySelectorAll("button, input:not([type=hidden]), textarea, select, nav a");
    return [...targets]
      .filter((target) => target.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      .filter((target) => target.getBoundingClientRect().width > 1)
      .map((target) => ({ name: target.getAttribute("aria-label") ?? target.textContent, ...sizeOf(target) }))
      .filter(({ width, height }) => width < least - 0.5 || height < least - 0.5)
      .map(
        ({ name, width, height }) => `${name.trim().slice(0, 30)} ${Math.round(width)}x${Math.round(height)}`,
      );
  }, leastPx);
}
