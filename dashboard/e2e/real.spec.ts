import { expect, start, test } from "./fixtures";
import { violations } from "./look-at";
import { MISSING, startProgram } from "./server";

test("a session of real calls is followed from its start to its report, and deleted", {
  tag: "@real",
}, async ({ live, server }) => {
  test.skip(Boolean(server.mock), "the real program's numbers");
  await start(live, "The whole way", "2h", "5M");
  const calls = live.getByTestId("calls").getByRole("listitem");
  await expect(calls.filter({ hasText: "Exact" }).first()).toBeVisible({ timeout: 60_000 });
  await live.getByLabel("Checkpoint", { exact: true }).fill("first call");
  await live.keyboard.press("Enter");
  await expect(live.getByRole("figure", { name: "Tokens over time" })).toBeVisible();

  await live.getByRole("link", { name: "Calls", exact: true }).click();
  const row = live.getByTestId("call-list").getByRole("listitem").filter({ hasText: "Exact" }).first();
  await row.getByRole("button").click();
  const drawer = live.getByRole("dialog");
  await expect(drawer).toContainText("The session was the current one.");
  await expect(drawer.locator("pre")).toContainText(/tokens/i);
  await live.keyboard.press("Escape");

  await live.getByRole("link", { name: "Sessions", exact: true }).click();
  await live.getByLabel("Search name, tag or note").fill("whole way");
  await live.getByTestId("session-list").getByRole("link", { name: "The whole way" }).first().click();
  await expect(live.getByRole("region", { name: "What happened" })).toContainText("tokens");
  await expect(live.getByRole("table", { name: "Checkpoints" })).toContainText("first call");
  await expect(live.getByRole("table", { name: "Models" }).getByRole("row").nth(1)).toBeVisible();
  await expect(live.getByRole("table", { name: "Tokens by source" })).toContainText("Exact");
  await expect(live.getByRole("region", { name: "Clock" })).toContainText("Started");
  expect(await violations(live)).toEqual([]);

  await live.getByRole("link", { name: "Compare", exact: true }).last().click();
  await expect(live.getByRole("table", { name: "Figures side by side" })).toContainText("Active time");
  await live.goBack();

  await live.getByRole("button", { name: "Open in Live" }).click();
  await live.getByRole("button", { name: "Complete" }).click();
  await live.getByRole("button", { name: "Yes, complete" }).click();
  await expect(live.getByTestId("status")).toHaveText("Completed");
  await live.getByRole("link", { name: "Report" }).click();
  await live.getByRole("button", { name: "Delete…" }).click();
  await live.getByLabel(/Keep them/).check();
  await live.getByRole("button", { name: "Delete for good" }).click();
  await expect(live).toHaveURL(/\/sessions$/);
  await expect(live.getByTestId("session-list").getByText("The whole way")).toHaveCount(0);
});

test("every address of a page is the page's, and an unknown file is none", { tag: "@real" }, async ({
  live,
  server,
}) => {
  test.skip(Boolean(server.mock), "the real program's routes");
  for (const path of [
    "sessions",
    "calls",
    "compare?ids=a",
    "sessions/0197f3a0-0000-7000-8000-000000000000",
  ]) {
    await live.goto(`${server.url}/${path}`);
    await expect(live.getByTestId("connection")).toHaveText("Live");
  }
  const manifest = await live.request.get(`${server.url}/manifest.webmanifest`);
  expect(manifest.headers()["content-type"]).toContain("application/manifest+json");
  expect((await live.request.get(`${server.url}/no-such-file.js`)).status()).toBe(404);
});

test("the page finds the socket where the program was told to have it", { tag: "@real" }, async ({
  page,
}) => {
  const { MOONLOCK_BIN: program } = process.env;
  test.skip(!program, MISSING);
  if (!program) return;
  const { dashboard, end } = await startProgram(program, ["demo"], {
    PORT: "0",
    PROXY_PORT: "0",
    WS_PATH: "/live/socket",
  });
  await page.goto(dashboard);
  await expect(page.getByTestId("connection")).toHaveText("Live");
  await end("SIGTERM");
});
