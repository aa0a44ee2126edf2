import type { Page } from "@playwright/test";
import { busyScene } from "../mock/scene";
import { expect, start, test } from "./fixtures";
import { sideways, violations } from "./look-at";

/** A page with something of everything: the mock's whole scene, or a session with the demo's calls. */
const populate = async (live: Page, scene: object | undefined): Promise<void> => {
  if (scene) {
    Object.assign(scene, busyScene());
    await live.reload();
  } else await start(live, "Look at everything", "2h", "500k");
  await expect(live.getByTestId("calls").getByRole("listitem").first()).toBeVisible({ timeout: 20_000 });
};

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the empty page is accessible", async ({ live }) => {
      await expect(live.getByLabel("What are you working on?")).toBeVisible();
      expect(await violations(live)).toEqual([]);
    });

    test("the full page is accessible", async ({ live, server }) => {
      await populate(live, server.mock?.scene);
      expect(await violations(live)).toEqual([]);
      await live.getByRole("button", { name: "Pause" }).click();
      await live.getByText("Connect another tool").click();
      await live.getByRole("button", { name: "Complete" }).click();
      expect(await violations(live)).toEqual([]);
    });
  });
}

test.describe("on a narrow phone", () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test("nothing scrolls sideways", async ({ live, server }) => {
    await expect.poll(() => sideways(live)).toBe(0);
    await populate(live, server.mock?.scene);
    await expect.poll(() => sideways(live)).toBe(0);
    await live.getByText("Connect another tool").click();
    await expect.poll(() => sideways(live)).toBe(0);
  });

  test("a long name breaks", async ({ live }) => {
    await start(live, "x".repeat(200));
    await expect.poll(() => sideways(live)).toBe(0);
  });
});

test("a chosen theme is there before the page is, and the system's comes back", async ({ live }) => {
  const background = () => live.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await live.emulateMedia({ colorScheme: "light" });
  const light = await background();
  await live.getByLabel("Dark theme").check({ force: true });
  const dark = await background();
  expect(dark).not.toBe(light);
  await live.addInitScript(() => {
    document.addEventListener("DOMContentLoaded", () => {
      document.title = document.documentElement.dataset["theme"] ?? "none";
      Object.assign(window, { themeAtStart: document.title });
    });
  });
  await live.reload();
  expect(await live.evaluate(() => Reflect.get(window, "themeAtStart"))).toBe("dark");
  expect(await background()).toBe(dark);
  await live.getByLabel("System theme").check({ force: true });
  expect(await background()).toBe(light);
});

test.describe("with reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("the clock shows whole seconds", async ({ live }) => {
    await start(live, "Calm");
    await expect(live.getByTestId("clock")).toHaveText(/^00:00:(?!00)\d\d$/);
  });
});
