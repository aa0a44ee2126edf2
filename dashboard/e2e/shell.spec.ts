import { expect, start, test } from "./fixtures";
import { violations } from "./look-at";

test("an address that no page has says so, and leads back; the focus follows", async ({ live, server }) => {
  await live.goto(`${server.url}/no/such/page`);
  const heading = live.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText("Page not found");
  await expect(live).toHaveTitle("Page not found — Moonlock");
  await live.getByRole("navigation").getByRole("link", { name: "Live" }).click();
  await expect(live).toHaveURL(`${server.url}/`);
  await expect(heading).toBeFocused();
  await live.goBack();
  await expect(heading).toHaveText("Page not found");
});

test("the palette does what was typed, with keys alone", async ({ live }) => {
  await start(live, "Drive by keys");
  await live.keyboard.press("ControlOrMeta+k");
  const field = live.getByRole("combobox");
  await expect(field).toBeFocused();
  await live.keyboard.type("pause");
  await live.keyboard.press("Enter");
  await expect(live.getByTestId("status")).toHaveText("Paused");

  await live.keyboard.press("ControlOrMeta+k");
  await live.keyboard.type("resume");
  await live.keyboard.press("Enter");
  await expect(live.getByTestId("status")).toHaveText("Running");

  await live.keyboard.press("ControlOrMeta+k");
  await live.keyboard.type("nothing like it");
  await expect(live.getByRole("option")).toHaveCount(0);
  await field.fill("complete");
  await live.keyboard.press("Enter");
  await expect(live.getByRole("option")).toHaveText("Yes, complete “Drive by keys”");
  await live.keyboard.press("Enter");
  await expect(live.getByTestId("status")).toHaveText("Completed");
  await expect(live.getByRole("dialog")).toHaveCount(0);
});

test("single keys go to places, and can be turned off", async ({ live, server }) => {
  await live.goto(`${server.url}/nowhere`);
  const heading = live.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText("Page not found");
  await live.keyboard.press("g");
  await live.keyboard.press("l");
  await expect(live).toHaveURL(`${server.url}/`);

  await live.locator("main").focus();
  await live.keyboard.press("?");
  await expect(live.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await live.getByLabel("Shortcuts of one key, without Ctrl or ⌘").uncheck();
  await live.keyboard.press("Escape");
  await expect(live.getByRole("dialog")).toHaveCount(0);
  await live.reload();
  await live.locator("main").focus();
  await live.keyboard.press("?");
  await live.keyboard.press("ControlOrMeta+k");
  await expect(live.getByRole("dialog", { name: "Go to, or do" })).toBeVisible();
});

test("the first Tab skips to the content", async ({ live }) => {
  await live.keyboard.press("Tab");
  await expect(live.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await live.keyboard.press("Enter");
  await expect(live.locator("main")).toBeFocused();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("what lies over the page is accessible", async ({ live }) => {
      await live.keyboard.press("ControlOrMeta+k");
      await expect(live.getByRole("option").first()).toBeVisible();
      expect(await violations(live)).toEqual([]);
      await live.keyboard.press("Escape");
      await live.getByRole("button", { name: "Keyboard shortcuts" }).click();
      await expect(live.getByRole("dialog")).toBeVisible();
      expect(await violations(live)).toEqual([]);
    });

    test.describe("on a phone", () => {
      test.use({ viewport: { width: 390, height: 844 } });

      test("all pages are in a drawer", async ({ live }) => {
        await live.getByRole("button", { name: "More" }).click();
        const drawer = live.getByRole("dialog", { name: "All pages" });
        await expect(drawer.getByRole("link", { name: "Live" })).toBeVisible();
        expect(await violations(live)).toEqual([]);
        await drawer.getByRole("link", { name: "Live" }).click();
        await expect(drawer).toHaveCount(0);
      });
    });
  });
}
