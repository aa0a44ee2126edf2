import { startMock } from "../mock/server";
import { clockTwice, expect, start, test } from "./fixtures";

test("a lost connection is said, what is known stays, and it comes back by itself", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "stops the server");
  if (!mock) return;
  await start(live, "Survive");
  await mock.stop();
  const pill = live.getByTestId("connection");
  await expect(pill).toHaveText(/^Offline since \d\d:\d\d$/);
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Survive");

  const again = await startMock({ port: Number(new URL(mock.url).port), scene: mock.scene, calls: false });
  await expect(pill).toHaveText("Live");
  await expect(live.getByTestId("status")).toHaveText("Running");
  await again.stop();
});

test("an event that was lost on the way is fetched", { tag: "@mock" }, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "loses an event");
  if (!mock) return;
  await start(live, "Mind the gap");
  mock.loseNext();
  const finish = mock.call();
  finish();
  await expect(live.getByTestId("calls").getByRole("listitem")).toHaveCount(1);
  await expect(live.getByTestId("card-calls").locator("dd").first()).toHaveText("1");
});

test("a hidden page draws nothing", async ({ live }) => {
  await start(live, "Unseen");
  const drawn = await live.evaluate(async () => {
    const frame = window.requestAnimationFrame.bind(window);
    const frames = () => new Promise((resolve) => frame(() => frame(() => frame(resolve))));
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    await frames();
    let asked = 0;
    window.requestAnimationFrame = (callback) => {
      asked += 1;
      return frame(callback);
    };
    await frames();
    return asked;
  });
  expect(drawn).toBe(0);
  await live.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(async () => new Set(await clockTwice(live)).size).toBe(2);
});
