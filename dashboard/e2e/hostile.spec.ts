import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { attack, type Outcomes } from "./attacks";
import { test as base, expect } from "./fixtures";
import { complete, startProvider } from "./provider";
import { MISSING, startProgram } from "./server";

type Place = {
  dashboard: string;
  proxy: string;
  /** A page of another site. */
  evil: string;
  session: string;
  /** What the program holds, and how often its provider was asked. */
  state: () => Promise<unknown>;
};

const HEADERS = { "content-type": "application/json" };

/** The program with a session and a call, and a site that means it ill. Its names lead to this machine, as names do that are rebound. */
const test = base.extend<{ place: Place | undefined }>({
  place: async ({ target }, use) => {
    const { MOONLOCK_BIN: program } = process.env;
    if (target !== "real" || !program) return use(undefined);
    const directory = await mkdtemp(join(tmpdir(), "moonlock-hostile-"));
    const config = join(directory, "moonlock.toml");
    await writeFile(config, "");
    const provider = await startProvider();
    const { dashboard, proxy, end } = await startProgram(program, ["serve"], {
      MOONLOCK_CONFIG: config,
      DB_PATH: join(directory, "moonlock.db"),
      MOONLOCK_UPSTREAM_OPENAI: provider.url,
      MOONLOCK_UPSTREAM_OLLAMA: provider.url,
      PORT: "0",
      PROXY_PORT: "0",
    });
    const site = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<!doctype html><title>Evil</title><body>Free money</body>");
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const body = JSON.stringify({ name: "mine" });
    const made = await fetch(`${dashboard}/api/sessions`, { method: "POST", headers: HEADERS, body });
    const { id: session } = (await made.json()) as { id: string };
    await complete(proxy);
    const state = async () => {
      const of = async (path: string) => (await fetch(dashboard + path)).json();
      const { sessions } = (await of("/api/sessions")) as { sessions: { id: string; status: string }[] };
      const { calls } = (await of("/api/calls")) as { calls: unknown[] };
      const open = sessions.map(({ id, status }) => ({ id, status }));
      return { open, calls: calls.length, asked: provider.asked() };
    };
    const evil = `http://evil.test:${(site.address() as AddressInfo).port}`;
    await use({ dashboard, proxy, evil, session, state });
    await end("SIGTERM");
    await provider.stop();
    site.close();
    await rm(directory, { recursive: true });
  },
});

/** All tries that got anything. */
const successes = (outcomes: Outcomes): [string, string][] =>
  Object.entries(outcomes).filter(([, outcome]) => outcome !== "refused");

test("a page of another site can read nothing, change nothing and ask no provider", { tag: "@real" }, async ({
  place,
  launchOptions,
}) => {
  test.skip(!place, MISSING);
  if (!place) return;
  const { dashboard, proxy, evil, session, state } = place;
  const before = await state();
  expect(before).toMatchObject({ open: [{ id: session, status: "active" }], calls: 1, asked: 1 });
  const rules = "--host-resolver-rules=MAP *.test 127.0.0.1";
  const browser = await chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), rules] });
  const page = await browser.newPage();
  const own = attack.toString().replaceAll("SESSION", session);
  const run = async (targets: object): Promise<Outcomes> =>
    page.evaluate<Outcomes>(`(${own})(${JSON.stringify(targets)})`);

  // Another site, and one whose name is that of this machine: another port is another origin.
  const tries: number[] = [];
  for (const from of [evil, evil.replace("evil.test", "127.0.0.1"), evil.replace("evil.test", "localhost")]) {
    await page.goto(from);
    const outcomes = await run({ dashboard, proxy });
    tries.push(Object.keys(outcomes).length);
    expect(successes(outcomes), from).toEqual([]);
    for (const frame of page.frames().filter((frame) => frame !== page.mainFrame())) {
      expect(await frame.content(), frame.url()).not.toContain("Moonlock</title>");
    }
    expect(await state(), from).toEqual(before);
  }

  // A site whose name was pointed here once its page was loaded: to the browser this is one origin with the port.
  for (const port of [dashboard, proxy]) {
    const rebound = port.replace("127.0.0.1", "rebound.test");
    const refused = await page.goto(`${rebound}/`);
    expect(refused?.status()).toBe(403);
    await page.route(`${rebound}/page`, (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><body>Evil</body>" }),
    );
    await page.goto(`${rebound}/page`);
    const here = (url: string): string => url.replace("127.0.0.1", "rebound.test");
    const outcomes = await run({ dashboard: here(dashboard), proxy: here(proxy) });
    tries.push(Object.keys(outcomes).length);
    // Its own frame it may look into: there is the refusal.
    const frames = Object.entries(outcomes).filter(([name]) => name.startsWith("frame "));
    for (const [name] of frames) delete outcomes[name];
    expect(successes(outcomes), rebound).toEqual([]);
    for (const frame of page.frames().filter((frame) => frame !== page.mainFrame())) {
      expect(await frame.content(), frame.url()).not.toContain("Moonlock</title>");
    }
    expect(await state(), rebound).toEqual(before);
  }
  console.log(
    `tries by origin: ${tries.join(", ")}; all refused, state as before: ${JSON.stringify(before)}`,
  );

  // The same tries from the dashboard's own page get what they ask for: it is the origin that decides.
  await page.goto(`${dashboard}/api/health`);
  const outcomes = await run({ dashboard, proxy });
  expect(outcomes["fetch cors include GET /api/live"]).toContain("read {");
  expect(outcomes["WebSocket /ws"]).toBe("opened");
  expect(outcomes["fetch cors include POST session as application/json"]).toContain("read {");
  expect(await state()).not.toEqual(before);
  await browser.close();
});
