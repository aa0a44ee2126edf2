import type { Page } from "@playwright/test";
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

/** Notes for each message how long it took until a frame was drawn after it. */
const watch = (): void => {
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
};

/** A page that only counts messages: what this machine takes at least. */
const countAlone = (address: string): void => {
  document.documentElement.textContent = "0";
  let count = 0;
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "subscribe", sessions: ["*"] })));
  socket.addEventListener("message", () => {
    count += 1;
    document.documentElement.textContent = String(count);
  });
};

const told = (times: readonly number[]): string => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
};

test("fifty running streams are painted as they grow", { tag: "@mock" }, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "needs streams that stay open");
  if (!mock) return;
  await live.addInitScript(watch);
  await live.reload();
  await start(live, "A fleet");
  for (let stream = 0; stream < STREAMS; stream += 1) mock.call();
  const running = mock.scene.calls.filter(({ outcome }) => outcome === "running");
  expect(running).toHaveLength(STREAMS);
  const devtools = await live.context().newCDPSession(live);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const work = async (): Promise<Record<string, number>> => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1_000]));
  };
  const publish = async (page: Page): Promise<number[]> => {
    await page.evaluate(() => {
      window.painted = [];
    });
    for (let round = 1; round <= ROUNDS; round += 1) {
      const calls = running.map(({ id }) => ({ id, outputSoFar: round * 20 }));
      mock.publish({ kind: "calls.grew", data: { calls } });
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    await page.waitForFunction((rounds) => window.painted.length >= rounds, ROUNDS);
    return page.evaluate(() => window.painted);
  };
  const before = await work();
  const times = await publish(live);
  await expect(live.getByTestId("card-calls")).toContainText("about 60k out");
  const after = await work();
  const each = (name: string): string => (((after[name] ?? 0) - (before[name] ?? 0)) / ROUNDS).toFixed(1);
  console.log(
    `the page's thread, a message: ${each("TaskDuration")} ms; script ${each("ScriptDuration")}, style ${each("RecalcStyleDuration")}, layout ${each("LayoutDuration")}`,
  );
  const timing = await live.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    const memory = (performance as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0;
    return { loaded: navigation?.loadEventEnd ?? 0, paint, heap: memory / 1e6 };
  });
  console.log(
    `event to paint, ${STREAMS} streams: ${told(times)}; first paint ${timing.paint.toFixed(0)} ms, loaded ${timing.loaded.toFixed(0)} ms, heap ${timing.heap.toFixed(1)} MB`,
  );

  await live.goto(`${server.url}/favicon.svg`);
  await live.evaluate(countAlone, `${server.url.replace("http", "ws")}/ws`);
  console.log(`a page that only counts: ${told(await publish(live))}`);
});
