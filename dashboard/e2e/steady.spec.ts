import type { Page } from "@playwright/test";
import { busyScene, emptyScene } from "../mock/scene";
import { expect, test } from "./fixtures";

declare global {
  interface Window {
    /** What has moved though nobody touched the page: how far, and what. */
    shifts: { value: number; what: string[] }[];
  }
}

type Shift = PerformanceEntry & {
  value: number;
  hadRecentInput: boolean;
  sources?: { node: Node | null }[];
};

const watch = (): void => {
  window.shifts = [];
  const name = ({ node }: { node: Node | null }): string =>
    (node instanceof Element ? node.outerHTML : (node?.textContent ?? "")).slice(0, 100);
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources = [] } of list.getEntries() as Shift[])
      if (!hadRecentInput) window.shifts.push({ value, what: sources.map(name) });
  }).observe({ type: "layout-shift", buffered: true });
};

/** Lets the answers come one after the other, so that each has its own frame to move something in. */
const SLOWLY_MS = 120;
const answerSlowly = async (page: Page): Promise<void> => {
  let asked = 0;
  await page.route("**/api/**", async (route) => {
    asked += 1;
    await new Promise((resolve) => setTimeout(resolve, asked * SLOWLY_MS));
    await route.continue();
  });
};

/** How much of the page nothing may move while it comes: a tenth of what is still called good. */
const MOST = 0.01;
/** As long as what is read beside the page takes to come. */
const SETTLED_MS = 1_000;

const paths = [
  "/",
  "/sessions",
  "/compare",
  "/analytics",
  "/calls",
  "/alerts",
  "/limits",
  "/connect",
  "/settings",
];

const shifted = async (page: Page): Promise<number> => {
  await page.waitForTimeout(SETTLED_MS);
  const shifts = await page.evaluate(() => window.shifts);
  const all = shifts.reduce((sum, { value }) => sum + value, 0);
  if (all > MOST) console.log(shifts);
  return all;
};

for (const viewport of [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
]) {
  test.describe(`${viewport.width} wide`, () => {
    test.use({ viewport });

    // The demo of the real program goes on by itself: an alert that is raised meanwhile moves what it is told above.
    test("nothing moves while a page comes, with and without something on it", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      await live.addInitScript(watch);
      await answerSlowly(live);
      const moved: string[] = [];
      for (const scene of [emptyScene(), busyScene()]) {
        for (const path of paths) {
          if (server.mock) Object.assign(server.mock.scene, scene);
          await live.goto(server.url + path);
          await expect(live.getByRole("heading", { level: 1 })).toBeVisible();
          await expect(live.getByText("Loading…")).toHaveCount(0);
          const sum = await shifted(live);
          moved.push(`${path} ${sum.toFixed(4)}`);
          expect.soft(sum, path).toBeLessThanOrEqual(MOST);
        }
      }
      console.log(`moved of a page, ${viewport.width} wide: ${moved.join(", ")}`);
    });
  });
}
