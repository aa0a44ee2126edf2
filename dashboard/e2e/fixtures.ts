import { test as base, expect, type Page } from "@playwright/test";
import type { Snapshot } from "../src/api/types.gen";
import { MISSING, type Server, startFake, startReal } from "./server";

export type TargetOptions = { target: "real" | "mock" };

type Fixtures = {
  /** The server, with no session open. */
  server: Server;
  /** The live page of that server. It fails the test if the browser reports an error. */
  live: Page;
};

type WorkerFixtures = TargetOptions & { shared: Server | undefined };

export const test = base.extend<Fixtures, WorkerFixtures>({
  target: ["real", { option: true, scope: "worker" }],

  // The real program takes a moment to start: one serves all tests of a worker.
  shared: [
    async ({ target }, use) => {
      const server = target === "real" ? await startReal() : undefined;
      await use(server);
      await server?.stop();
    },
    { scope: "worker" },
  ],

  server: async ({ target, shared }, use) => {
    const server = target === "mock" ? await startFake() : shared;
    if (!server) return test.skip(true, MISSING);
    await completeAll(server.url);
    await use(server);
    if (target === "mock") await server.stop();
  },

  live: async ({ page, server }, use) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    // Not a first run: that one leads to Connect.
    await page.addInitScript(() => localStorage.setItem("moonlock.welcomed", "yes"));
    await page.goto(server.url);
    await expect(page.getByTestId("connection")).toHaveText("Live");
    await use(page);
    // A lost connection and a refused request are what some tests are about.
    const unexpected = errors.filter((text) => !/WebSocket connection|Failed to load resource/.test(text));
    expect(unexpected).toEqual([]);
  },
});

const completeAll = async (url: string): Promise<void> => {
  const { sessions } = (await (await fetch(`${url}/api/live`)).json()) as Snapshot;
  for (const { id, revision } of sessions.filter(({ status }) => status !== "completed")) {
    await fetch(`${url}/api/sessions/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", "if-match": `"${revision}"` },
      body: JSON.stringify({ status: "completed" }),
    });
  }
};

/** Starts a session as a person does. */
export const start = async (page: Page, name: string, duration = "", budget = ""): Promise<void> => {
  await page.getByLabel("Duration").fill(duration);
  await page.getByLabel("Token budget").fill(budget);
  await page.getByLabel("What are you working on?").fill(name);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
};

/** The clock's text, now and some frames later. */
export const clockTwice = (page: Page): Promise<[string, string]> =>
  page.getByTestId("clock").evaluate(async (clock) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    const first = clock.textContent ?? "";
    for (let frames = 0; frames < 4; frames += 1) await frame();
    return [first, clock.textContent ?? ""];
  });

export { expect };
