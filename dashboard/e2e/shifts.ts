/**
 * What moves on a page though nobody touched it, as the browser itself counts it, and when a page has come to rest.
 */
import type { Page } from "@playwright/test";

type Moved = { value: number; what: string[] };

declare global {
  interface Window {
    shifts: Moved[];
    /** How many answers are not here, or not painted yet. */
    unpainted: number;
    /** For how many frames nothing was on its way. */
    calmFrames: number;
  }
}

type Shift = PerformanceEntry & {
  value: number;
  hadRecentInput: boolean;
  sources?: { node: Node | null }[];
};

const observe = (): void => {
  window.shifts = [];
  const name = ({ node }: { node: Node | null }): string =>
    (node instanceof Element ? node.outerHTML : (node?.textContent ?? "")).slice(0, 100);
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources = [] } of list.getEntries() as Shift[])
      if (!hadRecentInput) window.shifts.push({ value, what: sources.map(name) });
  }).observe({ type: "layout-shift", buffered: true });
};

/** Lets the API's answers come one after the other, so that what each brings has frames of its own to move something in. */
const answerInTurn = (): void => {
  const { fetch } = window;
  const frame = (): Promise<number> => new Promise(requestAnimationFrame);
  let before: Promise<unknown> = Promise.resolve();
  window.unpainted = 0;
  window.calmFrames = 0;
  window.fetch = (...asked) => {
    window.unpainted += 1;
    const answer = before.then(() => fetch(...asked));
    before = answer
      .catch(() => {})
      .then(frame)
      .then(frame)
      .then(frame)
      .then(() => {
        window.unpainted -= 1;
      });
    return answer;
  };
};

/** Watches every page that is gone to from here on. */
export const watchShifts = async (page: Page): Promise<void> => {
  await page.addInitScript(observe);
  await page.addInitScript(answerInTurn);
};

/** A page that asks nothing and says nowhere that something is on its way for so long has come to rest. */
const CALM_FRAMES = 20;

const settled = async (page: Page): Promise<void> => {
  await page.evaluate(() => {
    window.calmFrames = 0;
  });
  // Looked at once a frame.
  await page.waitForFunction((most) => {
    const isLoading = document.body.innerText.includes("Loading…") || document.readyState !== "complete";
    window.calmFrames = window.unpainted === 0 && !isLoading ? window.calmFrames + 1 : 0;
    return window.calmFrames >= most;
  }, CALM_FRAMES);
};

/** How much has moved since the page came, or since this was asked last, once it has come to rest. */
export const shifted = async (page: Page): Promise<number> => {
  await settled(page);
  const shifts = await page.evaluate(async () => {
    // What is counted is told after a frame.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return window.shifts.splice(0);
  });
  const all = shifts.reduce((sum, { value }) => sum + value, 0);
  if (all > 0.01) console.log(shifts);
  return all;
};

/** A screen and a phone. */
export const viewports = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
] as const;
