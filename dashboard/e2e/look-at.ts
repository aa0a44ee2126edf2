import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { busyScene } from "../mock/scene";
import { expect, test } from "./fixtures";
import type { Server } from "./server";

/** Opens a page of the dashboard with something of everything in it, and waits for its heading. */
export const visit = async (live: Page, { url, mock }: Server, path: string): Promise<void> => {
  if (mock) Object.assign(mock.scene, busyScene());
  await live.goto(url + path);
  await expect(live.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(live.getByText("Loading…")).toHaveCount(0);
};

/** What axe finds wrong. No page has frames: what is there for them, a page more each time, is left out. */
export const violations = async (page: Page): Promise<string[]> => {
  const found = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
};

/** How far the page scrolls sideways. */
export const sideways = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** Tests that what `open` shows is accessible in both themes, on a screen and on a phone, which it fits. */
export const isAccessible = (name: string, open: (live: Page, server: Server) => Promise<void>): void => {
  for (const colorScheme of ["light", "dark"] as const) {
    test.describe(colorScheme, () => {
      test.use({ colorScheme });

      test(`${name} is accessible`, async ({ live, server }) => {
        await open(live, server);
        expect(await violations(live)).toEqual([]);
        await live.setViewportSize({ width: 360, height: 740 });
        expect(await violations(live)).toEqual([]);
        await expect.poll(() => sideways(live)).toBe(0);
      });
    });
  }
};
