import { busyScene } from "../mock/scene";
import { expect, start, test } from "./fixtures";
import { sideways, violations } from "./look-at";

test("what a session will come to is told once there is a call, and not any more when it is over", {
  tag: "@mock",
}, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "needs a call at a chosen moment");
  if (!mock) return;
  await start(live, "Look ahead", "2h", "500k");
  const basis = live.getByTestId("forecast-basis");
  await expect(basis).toContainText("No forecast: not enough calls yet.");
  const tokens = live.getByTestId("card-tokens");
  await expect(tokens).toContainText("Budget lasts—not known yet");
  mock.call()();
  await expect(basis).toContainText("confidence: from");
  await expect(tokens).toContainText("a minute");
  await expect(tokens).toContainText(/about \S+; with 80 per cent between \S+ and \S+/);

  await live.getByRole("button", { name: "Complete" }).click();
  await live.getByRole("button", { name: "Yes, complete" }).click();
  await expect(live.getByTestId("status")).toHaveText("Completed");
  await expect(basis).toHaveCount(0);
  await expect(tokens).not.toContainText("a minute");
});

test("a stream's tokens are counted while it runs", { tag: "@mock" }, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "needs a stream that stays open");
  if (!mock) return;
  await start(live, "Stream");
  mock.call();
  const id = mock.scene.calls[0]?.id ?? "";
  mock.publish({ kind: "calls.grew", data: { calls: [{ id, outputSoFar: 1_234 }] } });
  await expect(live.getByTestId("card-calls")).toContainText("about 1.2k out");
  await expect(live.getByTestId("calls")).toContainText("1.2k out so far");
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: "reduce" } });

    test("a budget's end is drawn on its bar, accessible, and fits every width", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      const { mock } = server;
      test.skip(!mock, "draws an invented forecast");
      if (!mock) return;
      Object.assign(mock.scene, busyScene());
      await live.reload();
      const tokens = live.getByTestId("card-tokens");
      await expect(tokens.getByTestId("expected")).toBeVisible();
      for (const width of [360, 768, 1_024, 1_440]) {
        await live.setViewportSize({ width, height: 844 });
        const bar = await tokens.getByTestId("budget-bar").boundingBox();
        const tick = await tokens.getByTestId("expected").boundingBox();
        const band = await tokens.getByTestId("band").boundingBox();
        if (!bar || !tick || !band) throw new Error("the bar is not drawn whole");
        expect(tick.x).toBeGreaterThan(band.x);
        expect(tick.x + tick.width).toBeLessThan(band.x + band.width);
        expect(band.x + band.width).toBeLessThanOrEqual(bar.x + bar.width + 1);
        await expect.poll(() => sideways(live)).toBe(0);
      }
      // Wide, the same page is looked at beside every other.
      await live.setViewportSize({ width: 360, height: 844 });
      expect(await violations(live)).toEqual([]);
    });
  });
}
