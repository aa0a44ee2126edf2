import { busyScene, finishedCall, startedCall } from "../mock/scene";
import { expect, test } from "./fixtures";
import { sideways, violations } from "./look-at";

test("the list goes on for ever, and only what is in sight is there", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "invents ten thousand calls");
  if (!mock) return;
  const now = Date.now();
  mock.scene.calls = Array.from({ length: 10_000 }, (_, index) =>
    finishedCall(startedCall(null, now - index * 1_000), 900, 0.5),
  );
  await live.goto(`${server.url}/calls`);
  const list = live.getByTestId("call-list");
  await expect(list.getByRole("listitem").first()).toBeVisible();
  for (let pages = 0; pages < 5; pages += 1) {
    const before = await list.evaluate((element) => element.clientHeight);
    await live.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await expect.poll(() => list.evaluate((element) => element.clientHeight)).toBeGreaterThan(before);
  }
  expect(await list.getByRole("listitem").count()).toBeLessThan(60);
});

test("filters are in the address, find what they say, and can be cleared", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "invents calls");
  if (!mock) return;
  Object.assign(mock.scene, busyScene());
  await live.goto(`${server.url}/calls`);
  const rows = live.getByTestId("call-list").getByRole("listitem");
  await expect(rows.first()).toBeVisible();
  await live.getByLabel("How it ended").selectOption("Upstream error");
  await expect(live).toHaveURL(/outcome=upstream_error/);
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("Upstream error 429");
  await live.reload();
  await expect(rows).toHaveCount(1);

  await live.keyboard.press("/");
  await live.keyboard.type("no such model");
  await expect(live.getByText("No call fits these filters")).toBeVisible();
  await live.getByRole("button", { name: "Clear filters" }).last().click();
  await expect(live).toHaveURL(`${server.url}/calls`);
  await expect(rows.first()).toBeVisible();
});

test("a call tells all, and is moved, by keys alone", { tag: "@mock" }, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "invents calls");
  if (!mock) return;
  Object.assign(mock.scene, busyScene());
  await live.goto(`${server.url}/calls?outcome=complete&provider=anthropic`);
  const first = live.getByTestId("call-list").getByRole("button").first();
  await first.focus();
  await live.keyboard.press("Enter");
  const drawer = live.getByRole("dialog").first();
  await expect(drawer).toContainText("Until the first byte");
  await expect(drawer).toContainText("input_tokens");
  await expect(live).toHaveURL(/call=/);

  await drawer.getByRole("button", { name: "Move…" }).press("Enter");
  const dialog = live.getByRole("dialog", { name: "Move calls" });
  await dialog.getByLabel("Move to").selectOption("Read up on WAL checkpoints");
  await dialog.getByRole("button", { name: "Move", exact: true }).press("Enter");
  await expect(drawer).toContainText("It was moved there by hand.");
  await expect(drawer).toContainText("Read up on WAL checkpoints");
  await live.keyboard.press("Escape");
  await expect(live.getByRole("dialog")).toHaveCount(0);
  await expect(first).toBeFocused();
});

test("calls that come are offered, not pushed in", { tag: "@mock" }, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "needs a call at a chosen moment");
  if (!mock) return;
  await live.goto(`${server.url}/calls`);
  await expect(live.getByText("No calls yet")).toBeVisible();
  mock.call()();
  await live.getByRole("button", { name: "Show 1 new call" }).click();
  await expect(live.getByTestId("call-list").getByRole("listitem")).toHaveCount(1);
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the calls' page is accessible, with and without calls", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      const { mock } = server;
      test.skip(!mock, "invents calls");
      if (!mock) return;
      await live.goto(`${server.url}/calls`);
      await expect(live.getByText("No calls yet")).toBeVisible();
      expect(await violations(live)).toEqual([]);
      Object.assign(mock.scene, busyScene());
      await live.reload();
      const first = live.getByTestId("call-list").getByRole("button").first();
      await expect(first).toBeVisible();
      expect(await violations(live)).toEqual([]);
      await first.click();
      await expect(live.getByRole("dialog")).toContainText("Tokens");
      expect(await violations(live)).toEqual([]);
      await live.setViewportSize({ width: 360, height: 740 });
      await expect.poll(() => sideways(live)).toBe(0);
    });
  });
}
