import type { Page } from "@playwright/test";
import { expect, start, test } from "./fixtures";
import { sideways, violations } from "./look-at";

test("a session is renamed, extended and tagged, by keyboard alone", async ({ live }) => {
  await start(live, "Parser", "1h");
  const edit = live.getByRole("button", { name: "Edit" });
  await edit.focus();
  await live.keyboard.press("Enter");
  const dialog = live.getByRole("dialog", { name: "Edit session" });
  await expect(dialog.getByLabel("Duration in all")).toHaveValue("1h");
  await dialog.getByLabel("Name").fill("Parser and lexer");
  await dialog.getByLabel("Duration in all").fill("6h");
  await live.keyboard.press("Enter");
  await expect(dialog.getByLabel("Duration in all")).toHaveAccessibleDescription("Five hours at most.");
  await dialog.getByLabel("Duration in all").fill("2h");
  await dialog.getByLabel("Tags").fill("rust, deep work");
  await live.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(edit).toBeFocused();
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Parser and lexer");
  await expect(live.getByTestId("timing")).toContainText("of 2");
  await expect(live.getByRole("list", { name: "Tags" }).getByRole("listitem")).toHaveText([
    "rust",
    "deep work",
  ]);
  await edit.press("Enter");
  await live.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
});

test("a stretch is taken out and put back", async ({ live }) => {
  await start(live, "Lunch");
  await expect(live.getByTestId("clock")).not.toHaveText(/^00:00:0[01]/);
  await live.getByRole("button", { name: "Pause" }).click();
  await live.getByRole("button", { name: "Correct time" }).click();
  const dialog = live.getByRole("dialog", { name: "Correct the time" });
  const to = await dialog.getByLabel("To").inputValue();
  await dialog.getByLabel("From").fill(to);
  await dialog.getByRole("button", { name: "Take it out" }).click();
  await expect(dialog.getByRole("alert")).toContainText("before the end");
  const begun = new Date(new Date(`${to}Z`).getTime() - 60_000).toISOString().slice(0, 19);
  await dialog.getByLabel("From").fill(begun);
  await dialog.getByRole("button", { name: "Take it out" }).click();
  const back = dialog.getByRole("button", { name: "Put it back" });
  await expect(back).toBeVisible();
  await expect(dialog.getByTestId("corrected")).not.toContainText(/\b0\ss taken out/);
  await back.click();
  await expect(back).toHaveCount(0);
  await expect(dialog.getByTestId("corrected")).toContainText(/\b0\ss taken out/);
});

test("another session is made the current one", async ({ live, server, context }) => {
  await start(live, "First");
  await fetch(`${server.url}/api/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Second" }),
  });
  await live.getByRole("region", { name: "Also open" }).getByText("First").click();
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("First");
  const make = live.getByRole("button", { name: "Make current" });
  await make.click();
  await expect(make).toHaveCount(0);
  const other = await context.newPage();
  await other.goto(server.url);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("First");
});

test("the chosen session is in the address, to be reloaded, gone back from and come back to", async ({
  live,
  server,
}) => {
  await start(live, "First");
  await start2(live, server.url, "Second");
  const heading = live.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText("Second");
  await live.getByRole("region", { name: "Also open" }).getByText("First").click();
  await expect(live).toHaveURL(/\/\?session=[\w-]+$/);
  await live.reload();
  await expect(heading).toHaveText("First");
  await live.getByRole("link", { name: "Calls", exact: true }).click();
  await live.getByRole("link", { name: "Live", exact: true }).click();
  await expect(heading).toHaveText("First");
  await expect(live).toHaveURL(/\/\?session=[\w-]+$/);
  await live.getByRole("link", { name: "Live", exact: true }).click();
  await expect(heading).toHaveText("Second");
  await live.goBack();
  await expect(heading).toHaveText("First");
  await live.goto(`${server.url}/?session=00000000-0000-7000-8000-000000000000`);
  await expect(heading).toHaveText("Session not found");
});

test("picked calls and those of a stretch are moved to another session", async ({ live, server }) => {
  await start(live, "Elsewhere");
  await start2(live, server.url, "Here");
  if (server.mock) for (let n = 0; n < 4; n += 1) server.mock.call()();
  const rows = live.getByTestId("calls").getByRole("listitem");
  await expect(rows.nth(2)).toBeVisible();
  await live.getByRole("button", { name: "Move calls" }).click();
  const boxes = live.getByTestId("calls").getByRole("checkbox");
  await boxes.nth(0).focus();
  await live.keyboard.press("Space");
  await expect(live.getByText("1 call picked")).toBeVisible();
  await live.getByRole("button", { name: "Move to…" }).click();
  const dialog = live.getByRole("dialog", { name: "Move calls" });
  await dialog.getByLabel("Move to").selectOption({ label: "Elsewhere" });
  await dialog.getByRole("button", { name: "Move", exact: true }).click();
  await expect(live.getByText("1 call moved to Elsewhere.")).toBeVisible();

  await live.getByRole("button", { name: "Pause" }).click();
  await live.getByRole("button", { name: "Move calls" }).click();
  await live.getByRole("button", { name: "By time…" }).click();
  const now = new Date(Date.now() + 60_000 - new Date().getTimezoneOffset() * 60_000);
  await dialog.getByLabel("To", { exact: true }).fill(now.toISOString().slice(0, 19));
  await dialog.getByLabel("Move to").selectOption({ label: "Unassigned" });
  await dialog.getByRole("button", { name: "Move", exact: true }).click();
  await expect(live.getByText(/calls? moved to Unassigned/)).toBeVisible();
});

/** Starts a session beside one that is open, and shows it. */
const start2 = async (live: Page, url: string, name: string): Promise<void> => {
  await fetch(`${url}/api/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  await expect(live.getByRole("heading", { level: 1 })).toHaveText(name);
};

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, viewport: { width: 390, height: 844 } });

    test("the dialogs are accessible, and fit a phone", async ({ live, server }) => {
      await start(live, "On a phone", "2h");
      if (server.mock) server.mock.call()();
      await expect(live.getByTestId("calls").getByRole("listitem").first()).toBeVisible();
      for (const [button, name] of [
        ["Edit", "Edit session"],
        ["Correct time", "Correct the time"],
      ] as const) {
        await live.getByRole("button", { name: button }).click();
        await expect(live.getByRole("dialog", { name })).toBeVisible();
        expect(await violations(live)).toEqual([]);
        await expect.poll(() => sideways(live)).toBe(0);
        await live.keyboard.press("Escape");
      }
      await live.getByRole("button", { name: "Move calls" }).click();
      await live.getByRole("button", { name: "By time…" }).click();
      await expect(live.getByRole("dialog", { name: "Move calls" })).toBeVisible();
      expect(await violations(live)).toEqual([]);
      await expect.poll(() => sideways(live)).toBe(0);
      await live.keyboard.press("Escape");
      expect(await violations(live)).toEqual([]);
      await expect.poll(() => sideways(live)).toBe(0);
    });
  });
}
