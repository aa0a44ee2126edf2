import { clockTwice, expect, start, test } from "./fixtures";

test("a session starts with Enter, and its clock runs", async ({ live }) => {
  await start(live, "Refactor the parser", "2h", "500k");
  await expect(live.getByTestId("status")).toHaveText("Running");
  await expect(live.getByTestId("clock")).toHaveText(/^00:00:\d\d\.\d{3}$/);
  await expect.poll(async () => new Set(await clockTwice(live)).size).toBe(2);
  await expect(live.getByTestId("timing")).toContainText("left of 2");
  await expect(live.getByTestId("card-tokens")).toContainText("of 500k");
  await expect(live.getByTestId("card-cost")).not.toContainText("$0.00");
});

test("what cannot be understood is said beside its field", async ({ live }) => {
  const duration = live.getByLabel("Duration");
  await live.getByLabel("What are you working on?").fill("Something");
  await duration.fill("soon");
  await duration.press("Enter");
  await expect(duration).toBeFocused();
  await expect(duration).toHaveAccessibleDescription("Write it like 45m, 2h or 1h30.");
  await duration.fill("6h");
  await duration.press("Enter");
  await expect(duration).toHaveAccessibleDescription("Five hours at most.");
  await duration.fill("1h");
  await duration.press("Enter");
  await expect(live.getByTestId("status")).toHaveText("Running");
});

test("it pauses and resumes, by button and by Space", async ({ live }) => {
  await start(live, "Think");
  await live.getByRole("button", { name: "Pause" }).click();
  await expect(live.getByTestId("status")).toHaveText("Paused");
  const [first, second] = await clockTwice(live);
  expect(second).toBe(first);

  await live.getByRole("heading", { level: 1 }).click();
  await live.locator("main").focus();
  await live.keyboard.press("Space");
  await expect(live.getByTestId("status")).toHaveText("Running");
  await live.keyboard.press("Space");
  await expect(live.getByTestId("status")).toHaveText("Paused");
});

test("a reload shows the same session at the same time", async ({ live }) => {
  await start(live, "Stay");
  await live.getByRole("button", { name: "Pause" }).click();
  await expect(live.getByTestId("status")).toHaveText("Paused");
  const before = await live.getByTestId("clock").textContent();
  await live.reload();
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Stay");
  await expect(live.getByTestId("status")).toHaveText("Paused");
  await expect(live.getByTestId("clock")).toHaveText(before ?? "");
});

test("another tab's change is taken without a complaint", async ({ live, server, context }) => {
  await start(live, "Two tabs");
  const other = await context.newPage();
  await other.goto(server.url);
  await other.getByRole("button", { name: "Pause" }).click();
  await expect(other.getByTestId("status")).toHaveText("Paused");
  await expect(live.getByTestId("status")).toHaveText("Paused");
  await live.getByRole("button", { name: "Resume" }).click();
  await expect(other.getByTestId("status")).toHaveText("Running");
  await expect(live.getByRole("alert")).toHaveCount(0);
});

test("completing asks first, and leaves the result in view", async ({ live }) => {
  await start(live, "Finish me");
  await live.getByRole("button", { name: "Complete" }).click();
  await expect(live.getByRole("button", { name: "Yes, complete" })).toBeFocused();
  await live.keyboard.press("Escape");
  await expect(live.getByTestId("status")).toHaveText("Running");
  await live.getByRole("button", { name: "Complete" }).click();
  await live.getByRole("button", { name: "Yes, complete" }).click();
  await expect(live.getByTestId("status")).toHaveText("Completed");
  await live.getByRole("button", { name: "Done" }).click();
  await expect(live.getByLabel("What are you working on?")).toBeVisible();
  await expect(live.getByRole("region", { name: "Recent sessions" })).toContainText("Finish me");
});

test("a session that another tab completes stays in view until it is done with", async ({
  live,
  server,
  context,
}) => {
  await start(live, "Ends elsewhere");
  const other = await context.newPage();
  await other.goto(server.url);
  await other.getByRole("button", { name: "Complete" }).click();
  await other.getByRole("button", { name: "Yes, complete" }).click();
  await expect(live.getByTestId("status")).toHaveText("Completed");
  await live.getByRole("button", { name: "Done" }).click();
  await expect(live.getByLabel("What are you working on?")).toBeVisible();
});

test("calls appear as they happen", async ({ live, server }) => {
  await start(live, "Watch");
  const calls = live.getByTestId("calls").getByRole("listitem");
  const finish = server.mock?.call();
  if (server.mock) await expect(calls.first()).toContainText("Running");
  finish?.();
  await expect(calls.and(live.locator(":not([data-outcome=running])")).first()).toBeVisible({
    timeout: 20_000,
  });
  await expect(live.getByTestId("card-calls").locator("dd").first()).toHaveText(/[1-9]/);
});

test("without calls, what to type is there to copy", { tag: "@mock" }, async ({ live, server, context }) => {
  test.skip(!server.mock, "the demo's provider never rests");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await start(live, "Connect");
  await expect(live.getByText("Waiting for the first call…")).toBeVisible();
  await live.getByRole("button", { name: "Copy ANTHROPIC_BASE_URL" }).click();
  await expect(live.getByText("Copied")).toBeVisible();
  const copied = await live.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe("export ANTHROPIC_BASE_URL=http://127.0.0.1:3002/anthropic");
});

test("calls of no session are not lost from sight", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "needs a call at a chosen moment");
  server.mock?.call()();
  await expect(live.getByTestId("unassigned")).toContainText("1\u00a0call");
  await start(live, "Later");
  await live.getByRole("button", { name: "Show them" }).click();
  await expect(live.getByTestId("calls")).toContainText("Unassigned");
});

test("the server's refusal is said beside the field it names", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "the mock refuses a name");
  await live.getByLabel("What are you working on?").fill("Refuse me");
  await live.keyboard.press("Enter");
  const name = live.getByLabel("What are you working on?");
  await expect(name).toHaveAccessibleDescription("The name is taken.");
});

test("a checkpoint is noted with one field and Enter", async ({ live }) => {
  await start(live, "Phases");
  await live.getByLabel("Checkpoint", { exact: true }).fill("Design done");
  await live.keyboard.press("Enter");
  const noted = live.getByRole("region", { name: "Checkpoints" }).getByRole("listitem");
  await expect(noted.first()).toContainText("Design done");
  await live.reload();
  await expect(noted.first()).toContainText("Design done");
});
