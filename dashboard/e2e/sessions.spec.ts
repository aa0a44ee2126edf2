import { busyScene, newSession } from "../mock/scene";
import { expect, test } from "./fixtures";
import { sideways, violations } from "./look-at";

test("of ten thousand sessions only those in sight are there, and any is found by name", {
  tag: "@mock",
}, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "invents ten thousand sessions");
  if (!mock) return;
  mock.scene.sessions = Array.from({ length: 10_000 }, (_, index) =>
    newSession(`Session ${index}`, {
      status: "completed",
      current: false,
      startedAt: Date.now() - index * 60_000,
      createdAt: Date.now() - index * 60_000,
      elapsedMs: 50_000,
    }),
  );
  await live.goto(`${server.url}/sessions`);
  const list = live.getByTestId("session-list");
  await expect(list.getByRole("link", { name: "Session 0", exact: true })).toBeVisible();
  const slow = await live.evaluate(async () => {
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const times: number[] = [];
    let before = await frame();
    for (let step = 0; step < 120; step += 1) {
      window.scrollBy(0, 400);
      const now = await frame();
      times.push(now - before);
      before = now;
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length * 0.9)] ?? 0;
  });
  console.log(`a frame while scrolling: p90 ${slow.toFixed(1)} ms`);
  expect(await list.getByRole("listitem").count()).toBeLessThan(60);

  await live.keyboard.press("/");
  await live.keyboard.type("session 9876");
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await expect(live).toHaveURL(/search=session\+9876/);
});

test("sessions are sorted, filtered and picked to be compared", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "invents sessions");
  if (!mock) return;
  Object.assign(mock.scene, busyScene());
  await live.goto(`${server.url}/sessions`);
  const rows = live.getByTestId("session-list").getByRole("listitem");
  await expect(rows).toHaveCount(4);
  await live.getByLabel("Order").selectOption("Longest");
  await expect(rows.first()).toContainText("Local model trial");
  await live.getByLabel("Status").selectOption("Running");
  await expect(rows).toHaveCount(1);
  await live.getByRole("button", { name: "Clear filters" }).click();
  await expect(rows).toHaveCount(4);

  await live.getByLabel("Compare Local model trial").press("Space");
  await expect(live.getByRole("button", { name: "Compare with your median" })).toBeVisible();
  await live.getByLabel("Compare Fix the flaky shutdown test").check();
  await expect(live).toHaveURL(/pick=/);
  await live.reload();
  await expect(live.getByLabel("Compare Local model trial")).toBeChecked();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the sessions' page is accessible, with and without sessions", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      const { mock } = server;
      test.skip(!mock, "invents sessions");
      if (!mock) return;
      await live.goto(`${server.url}/sessions`);
      await expect(live.getByText("No sessions yet")).toBeVisible();
      expect(await violations(live)).toEqual([]);
      Object.assign(mock.scene, busyScene());
      await live.reload();
      await live.getByLabel("Compare Local model trial").check();
      expect(await violations(live)).toEqual([]);
      await live.setViewportSize({ width: 360, height: 740 });
      await expect.poll(() => sideways(live)).toBe(0);
    });
  });
}
