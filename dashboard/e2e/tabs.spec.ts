import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures";
import { visit } from "./look-at";

const background = (page: Page): Promise<string> =>
  page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test("a time zone, a theme and the keys that are chosen in one tab hold in the others at once", {
  tag: "@mock",
}, async ({ live, server, context }) => {
  await visit(live, server, "/settings");
  const other = await context.newPage();
  await other.emulateMedia({ colorScheme: "light" });
  await visit(other, server, "/calls");
  // It is the same page all the time: nothing here is loaded anew.
  await other.evaluate(() => Reflect.set(window, "isSame", true));
  const began = other.getByTestId("call-list").getByRole("time").first();
  const before = await began.innerText();
  const light = await background(other);

  await live.getByRole("button", { name: "Change the time zone" }).click();
  const dialog = live.getByRole("dialog", { name: "Time zone" });
  await live.keyboard.type("kathmandu");
  await expect(dialog.getByRole("listitem")).toHaveCount(1);
  await live.keyboard.press("Tab");
  await live.keyboard.press("Enter");
  await expect(other.getByText("Times in Asia/Kathmandu")).toBeVisible();
  // Its clocks are never at the same minute as those of a zone of whole hours.
  await expect(began).not.toHaveText(before);

  await live.getByRole("region", { name: "General" }).getByRole("button", { name: "Dark" }).click();
  await expect.poll(() => background(other)).not.toBe(light);
  await expect(other.getByLabel("Dark theme")).toBeChecked();

  await live.keyboard.press("Shift+?");
  await live.getByLabel("Shortcuts of one key, without Ctrl or ⌘").uncheck();
  await live.keyboard.press("Escape");
  await other.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await expect(other.getByLabel("Shortcuts of one key, without Ctrl or ⌘")).not.toBeChecked();

  // All that was kept is deleted, as a browser's settings can do: each choice is the first one again.
  await live.evaluate(() => localStorage.clear());
  await expect(other.getByLabel("Shortcuts of one key, without Ctrl or ⌘")).toBeChecked();
  await expect.poll(() => background(other)).toBe(light);
  await expect(other.getByText("Times in Asia/Kathmandu")).toHaveCount(0);
  expect(await other.evaluate(() => Reflect.get(window, "isSame"))).toBe(true);
});
