import { busyScene } from "../mock/scene";
import { expect, test } from "./fixtures";
import { sideways, violations } from "./look-at";

test("a session's report tells what happened, and is deleted with a choice", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "invents sessions");
  if (!mock) return;
  Object.assign(mock.scene, busyScene());
  await live.goto(`${server.url}/sessions`);
  await live.getByRole("link", { name: "Fix the flaky shutdown test" }).click();
  const heading = live.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText("Fix the flaky shutdown test");
  await expect(heading).toBeFocused();
  await expect(live).toHaveTitle("Fix the flaky shutdown test — Moonlock");
  const happened = live.getByRole("region", { name: "What happened" });
  await expect(happened).toContainText(/It ran for 48.m/);
  await expect(happened).toContainText(/40.calls used 1.8M tokens/);
  const efficiency = live.getByRole("region", { name: "Efficiency", exact: true });
  await expect(efficiency).toContainText("the mean of the points below");
  await expect(efficiency).toContainText("The session has no checkpoint.");
  await expect(live.getByRole("link", { name: "CSV" })).toHaveAttribute("href", /export\?format=csv$/);

  await live.getByRole("button", { name: "Delete…" }).click();
  const dialog = live.getByRole("dialog");
  await expect(dialog.getByLabel("Keep them")).toBeChecked();
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await expect(live).toHaveURL(`${server.url}/sessions`);
  await expect(live.getByTestId("session-list").getByRole("listitem")).toHaveCount(3);
});

test("a session that there is not says so", async ({ live, server }) => {
  await live.goto(`${server.url}/sessions/00000000-0000-7000-8000-000000000000`);
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Session not found");
  await live.getByRole("link", { name: "All sessions" }).click();
  await expect(live).toHaveURL(/\/sessions$/);
});

test("sessions are compared side by side, by keys alone", { tag: "@mock" }, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "invents sessions");
  if (!mock) return;
  Object.assign(mock.scene, busyScene());
  await live.goto(`${server.url}/compare`);
  await expect(live.getByText("Pick two sessions")).toBeVisible();
  const add = live.getByRole("button", { name: "Add a session…" });
  const offers = live.getByRole("dialog", { name: "Add a session" });
  await add.press("Enter");
  await expect(offers.getByRole("listitem")).toHaveCount(5);
  await offers.getByRole("searchbox").fill("flaky");
  await expect(offers.getByRole("listitem")).toHaveCount(1);
  await offers.getByRole("button", { name: "Fix the flaky shutdown test" }).press("Enter");
  await expect(live.getByText("Pick a second session")).toBeVisible();
  await add.press("Enter");
  await offers.getByRole("button", { name: "Your median" }).press("Enter");
  await expect(live).toHaveURL(/ids=[^&]+median/);
  await expect(live.getByRole("figure", { name: "Tokens over active time" })).toBeVisible();
  const figures = live.getByRole("table", { name: "Figures side by side" });
  await expect(figures).toContainText("Prompts from cache");
  await live.getByRole("button", { name: "Remove Your median" }).press("Enter");
  await expect(live.getByText("Pick a second session")).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("report and comparison are accessible, and fit a phone", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      const { mock } = server;
      test.skip(!mock, "invents sessions");
      if (!mock) return;
      Object.assign(mock.scene, busyScene());
      const [first, second] = mock.scene.sessions;
      await live.goto(`${server.url}/sessions/${first?.id}`);
      await expect(live.getByRole("region", { name: "Efficiency", exact: true })).toContainText("of 100");
      await expect(live.getByRole("figure", { name: "Tokens over time" })).toBeVisible();
      expect(await violations(live)).toEqual([]);
      await live.setViewportSize({ width: 360, height: 740 });
      await expect.poll(() => sideways(live)).toBe(0);
      await live.goto(`${server.url}/compare?ids=${first?.id},${second?.id},median`);
      await expect(live.getByRole("table", { name: "Figures side by side" })).toBeVisible();
      expect(await violations(live)).toEqual([]);
      await expect.poll(() => sideways(live)).toBe(0);
    });
  });
}
