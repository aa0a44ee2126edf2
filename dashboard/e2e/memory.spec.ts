import type { CDPSession, Page } from "@playwright/test";
import { expect, start, test } from "./fixtures";

/** A busy hour is 72,000 events: `EVENTS=72000` takes it, at ten times its speed. */
const EVENTS = Number(process.env["EVENTS"] ?? 4_000);
/** What fills every bounded list of the page, and what a long day compiles in its first hours. */
const WARM_UP = Math.max(2_000, EVENTS / 9);
/** A call's beginning, its growing, its end, and what its session then stands at. */
const EVENTS_A_CALL = 4;
const CALLS_AT_ONCE = 5;
const EVERY_MS = 100;
/** The engine goes on to compile what runs often: 1.7 MB of code, by the snapshots, where all else grows by 0.4. */
const MOST_GROWTH_MB = 3;

const connect = async (page: Page): Promise<CDPSession> => {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  return session;
};

/** The least of so many looks: code that was just compiled, or is to be thrown away, makes a peak of 1 MB or 2. */
const LOOKS = 4;

/** What is still held when all that can be forgotten was. */
const held = async (devtools: CDPSession): Promise<{ heap: number; nodes: number; listeners: number }> => {
  const heaps: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize } = await devtools.send("Runtime.getHeapUsage");
    heaps.push(usedSize / 1e6);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  const { nodes, jsEventListeners } = await devtools.send("Memory.getDOMCounters");
  return { heap: Math.min(...heaps), nodes, listeners: jsEventListeners };
};

test("a page that is open all day holds no more than at its beginning", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "needs calls as fast as they are wanted");
  if (!mock) return;
  await start(live, "All day");
  const devtools = await connect(live);

  const take = async (events: number): Promise<void> => {
    for (let done = 0; done < events; done += CALLS_AT_ONCE * EVENTS_A_CALL) {
      const finishes = Array.from({ length: CALLS_AT_ONCE }, () => mock.call());
      const running = mock.scene.calls.filter(({ outcome }) => outcome === "running");
      for (const { id } of running) {
        mock.publish({ kind: "calls.grew", data: { calls: [{ id, outputSoFar: 40 }] } });
      }
      for (const finish of finishes) finish();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    const count = mock.scene.sessions[0]?.usage.requests ?? 0;
    await expect(live.getByTestId("card-calls").locator("dd").first()).toHaveText(
      new Intl.NumberFormat("en-US").format(count),
    );
  };

  await take(WARM_UP);
  const before = await held(devtools);
  await take(EVENTS);
  const after = await held(devtools);
  const grown = after.heap - before.heap;
  console.log(
    `held after ${EVENTS} events: ${before.heap.toFixed(1)} → ${after.heap.toFixed(1)} MB, ${before.nodes} → ${after.nodes} nodes, ${before.listeners} → ${after.listeners} listeners`,
  );
  const table = live.getByRole("figure", { name: "Tokens over time" }).locator("tbody tr");
  expect(await table.count()).toBeLessThanOrEqual(12);
  expect(grown).toBeLessThan(MOST_GROWTH_MB);
  expect(after.nodes).toBeLessThan(before.nodes * 1.2);
  expect(after.listeners).toBeLessThan(before.listeners * 1.2);
});
