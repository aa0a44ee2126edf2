import { expect, start, test } from "./fixtures";

const STREAMS = 50;
const ROUNDS = 60;
const EVERY_MS = 100;

declare global {
  interface Window {
    /** From a message's arrival to after the frame that shows it, in milliseconds. */
    painted: number[];
  }
}

test("fifty running streams are painted as they grow", async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "needs streams that stay open");
  if (!mock) return;
  await live.addInitScript(() => {
    window.painted = [];
    const { WebSocket: Native } = window;
    window.WebSocket = class extends Native {
      constructor(url: string | URL) {
        super(url);
        this.addEventListener("message", () => {
          const arrived = performance.now();
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => window.painted.push(performance.now() - arrived);
            port2.postMessage(null);
          });
        });
      }
    };
  });
  await live.reload();
  await start(live, "A fleet");
  for (let stream = 0; stream < STREAMS; stream += 1) mock.call();
  const running = mock.scene.calls.filter(({ outcome }) => outcome === "running");
  expect(running).toHaveLength(STREAMS);
  await live.evaluate(() => {
    window.painted = [];
  });
  for (let round = 1; round <= ROUNDS; round += 1) {
    const calls = running.map(({ id }) => ({ id, outputSoFar: round * 20 }));
    mock.publish({ kind: "calls.grew", data: { calls } });
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await expect(live.getByTestId("card-requests")).toContainText("about 60k out");
  const times = (await live.evaluate(() => window.painted)).sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1);
  const timing = await live.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    const memory = (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0;
    return { loaded: navigation?.loadEventEnd ?? 0, paint, heap: memory / 1e6 };
  });
  console.log(
    `event to paint, ${STREAMS} streams: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; first paint ${timing.paint.toFixed(0)} ms, loaded ${timing.loaded.toFixed(0)} ms, heap ${timing.heap.toFixed(1)} MB`,
  );
  expect(times.length).toBeGreaterThanOrEqual(ROUNDS);
});
