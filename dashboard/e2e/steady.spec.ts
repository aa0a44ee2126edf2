import { busyScene, emptyScene, foretell, newSession } from "../mock/scene";
import type { AlertView } from "../src/api/types.gen";
import { expect, test } from "./fixtures";
import { sideways, violations } from "./look-at";
import { shifted, viewports, watchShifts } from "./shifts";

/** How much of the page nothing may move while it comes: a tenth of what is still called good. */
const MOST = 0.01;
/** And while it is read. */
const MOST_LATER = 0.02;

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

const HOUR = 60 * 60_000;
const budgets = { duration: 2 * HOUR, tokenBudget: 500_000, costBudgetNanoUsd: 5_000_000_000 };

const raised = (change: Partial<AlertView>): AlertView => ({
  id: "0197f3a0-0000-7000-8000-00000a1e4700",
  rule: "calls.burst",
  scope: { kind: "moonlock" },
  severity: "critical",
  level: null,
  status: "active",
  message:
    "14 calls in the last minute, where this session has at most 6 as a rule. Look whether an agent runs away.",
  raisedAt: Date.now(),
  worsenedAt: null,
  clearedAt: null,
  acknowledgedAt: null,
  snoozedUntil: null,
  ...change,
});

for (const viewport of viewports) {
  test.describe(`${viewport.width} wide`, () => {
    test.use({ viewport });

    // The demo of the real program goes on by itself: an alert that is raised meanwhile moves what it is told above.
    test("nothing moves while a page comes, with and without something on it", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      await watchShifts(live);
      const moved: string[] = [];
      for (const scene of [emptyScene(), busyScene()]) {
        for (const path of paths) {
          if (server.mock) Object.assign(server.mock.scene, scene);
          await live.goto(server.url + path);
          await expect(live.getByRole("heading", { level: 1 })).toBeVisible();
          const sum = await shifted(live);
          moved.push(`${path} ${sum.toFixed(4)}`);
          expect.soft(sum, path).toBeLessThanOrEqual(MOST);
        }
      }
      console.log(`moved of a page, ${viewport.width} wide: ${moved.join(", ")}`);
    });

    for (const [kind, change] of Object.entries({ budgets, "no budget": {} })) {
      test(`a session's first call and forecast move nothing, with ${kind}`, { tag: "@mock" }, async ({
        live,
        server,
      }) => {
        const { mock } = server;
        test.skip(!mock, "needs calls at chosen moments");
        if (!mock) return;
        await watchShifts(live);
        const view = newSession("Look ahead", change);
        Object.assign(mock.scene, { ...emptyScene(), sessions: [view] });
        await live.goto(server.url);
        await expect(live.getByTestId("card-tokens")).toBeVisible();
        await shifted(live);

        const end = mock.call();
        await expect(live.getByTestId("calls").getByRole("listitem")).toHaveCount(1);
        expect.soft(await shifted(live), "a call begins").toBeLessThan(MOST_LATER);
        end();
        await expect(live.getByTestId("forecast-basis")).toContainText("confidence: from");
        expect.soft(await shifted(live), "it ends, with a forecast").toBeLessThan(MOST_LATER);
        await live.reload();
        await shifted(live);
        mock.publish(
          { kind: "forecast", data: { ...foretell(view), burnRate: null, forecast: null } },
          view.id,
        );
        await expect(live.getByTestId("forecast-basis")).toContainText("No forecast");
        expect.soft(await shifted(live), "no more forecast").toBeLessThan(MOST_LATER);
        const [known] = mock.scene.sessions;
        if (known) mock.publish({ kind: "forecast", data: foretell(known) }, view.id);
        await expect(live.getByTestId("forecast-basis")).toContainText("confidence: from");
        expect.soft(await shifted(live), "a forecast").toBeLessThan(MOST_LATER);
      });
    }

    for (const [kind, scene] of Object.entries({ none: emptyScene, others: busyScene })) {
      test(`an alert comes and goes on the alerts' page and moves nothing, with ${kind} there`, {
        tag: "@mock",
      }, async ({ live, server }) => {
        const { mock } = server;
        test.skip(!mock, "invents alerts");
        if (!mock) return;
        await watchShifts(live);
        Object.assign(mock.scene, scene());
        await live.goto(`${server.url}/alerts`);
        await shifted(live);
        const standing = live.getByTestId("standing");
        const before = await standing.count();
        const alert = raised({});
        mock.scene.alerts.push(alert);
        mock.publish({ kind: "alert", data: alert });
        // It is said aloud wherever it is shown.
        await expect(live.getByText("14 calls in the last minute").first()).toBeAttached();
        expect.soft(await shifted(live), "raised").toBeLessThan(MOST_LATER);

        await live.getByRole("button", { name: "Show 1 new alert" }).click();
        await expect(standing).toHaveCount(before + 1);
        await expect(standing.first()).toContainText("14 calls in the last minute");
        await live.reload();
        await expect(standing).toHaveCount(before + 1);
        await shifted(live);

        mock.scene.alerts.pop();
        mock.publish({ kind: "alert", data: { ...alert, status: "cleared", clearedAt: Date.now() } });
        await expect(standing.first()).toContainText("ended");
        await expect(standing.first().getByRole("button")).toHaveCount(0);
        expect.soft(await shifted(live), "ended").toBeLessThan(MOST_LATER);
        await live.getByRole("button", { name: "Clear 1 that ended" }).click();
        await expect(standing).toHaveCount(before);
      });
    }

    test("an alert comes and goes on the live page and moves nothing", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      const { mock } = server;
      test.skip(!mock, "invents alerts");
      if (!mock) return;
      await watchShifts(live);
      Object.assign(mock.scene, { ...busyScene(), alerts: [] });
      await live.goto(server.url);
      await expect(live.getByTestId("card-tokens")).toBeVisible();
      await shifted(live);
      const alert = raised({});
      mock.scene.alerts.push(alert);
      mock.publish({ kind: "alert", data: alert });
      const show = live.getByRole("button", { name: "Show the new alert: Critical. 14 calls" });
      await expect(show).toBeInViewport({ ratio: 1 });
      expect(await sideways(live)).toBe(0);
      expect(await violations(live)).toEqual([]);
      expect.soft(await shifted(live), "raised").toBeLessThan(MOST_LATER);

      await show.click();
      const banner = live.getByTestId("alert");
      await expect(banner).toContainText("14 calls in the last minute");
      await expect(show).toHaveCount(0);
      await live.reload();
      await expect(banner).toHaveCount(1);
      await shifted(live);
      mock.scene.alerts.pop();
      mock.publish({ kind: "alert", data: { ...alert, status: "cleared", clearedAt: Date.now() } });
      await expect(banner).toContainText("ended");
      expect.soft(await shifted(live), "ended").toBeLessThan(MOST_LATER);
      await banner.getByRole("button", { name: "Hide" }).click();
      await expect(banner).toHaveCount(0);
    });
  });
}
