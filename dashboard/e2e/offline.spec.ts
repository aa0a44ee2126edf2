import { startMock } from "../mock/server";
import { expect, start, test } from "./fixtures";

test("what is asked while nobody answers is done later, once, and every tab knows", { tag: "@mock" }, async ({
  live,
  server,
  context,
}) => {
  const { mock } = server;
  test.skip(!mock, "stops the server");
  if (!mock) return;
  await start(live, "Carry on");
  const other = await context.newPage();
  await other.goto(server.url);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Carry on");
  await mock.stop();
  await expect(live.getByTestId("connection")).toHaveText(/^(Reconnecting|Offline)/);

  await live.getByRole("textbox", { name: "Checkpoint" }).fill("half way");
  await live.keyboard.press("Enter");
  await live.getByRole("button", { name: "Pause" }).click();
  await live.getByRole("button", { name: "Pause" }).click();
  const waiting = "Waiting for Moonlock to answer: Checkpoint “half way”, Pause “Carry on”.";
  await expect(live.getByText(waiting)).toBeVisible();
  await expect(other.getByText(waiting)).toBeVisible();
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Carry on");

  const port = Number(new URL(mock.url).port);
  const again = await startMock({ port, scene: mock.scene, calls: false });
  for (const page of [live, other]) {
    await expect(page.getByTestId("status")).toHaveText("Paused");
    await expect(page.getByText("Waiting for Moonlock")).toHaveCount(0);
    await expect(page.getByRole("region", { name: "Checkpoints" }).getByRole("listitem")).toHaveText([
      /half way/,
    ]);
  }
  await again.stop();
});

test("what is refused later is said, and what waits can be thrown away", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "stops the server");
  if (!mock) return;
  await start(live, "Gone");
  await mock.stop();
  await expect(live.getByTestId("connection")).toHaveText(/^(Reconnecting|Offline)/);
  await live.getByRole("button", { name: "Pause" }).click();
  await expect(live.getByText("Waiting for Moonlock to answer: Pause “Gone”.")).toBeVisible();
  mock.scene.sessions = [];
  const port = Number(new URL(mock.url).port);
  const again = await startMock({ port, scene: mock.scene, calls: false });
  await expect(live.getByText("Could not be done: Pause “Gone” (There is no such session.)")).toBeVisible();
  await live.getByRole("button", { name: "Dismiss" }).click();
  await expect(live.getByText("Could not be done")).toHaveCount(0);
  await again.stop();
});

test("a page opened with nobody there starts a session when somebody is", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  const { mock } = server;
  test.skip(!mock, "stops the server");
  if (!mock) return;
  // Its code is here, as it is for who leaves a page open.
  await expect(live.getByLabel("Money budget")).toBeVisible();
  await mock.stop();
  await expect(live.getByTestId("connection")).toHaveText(/^(Reconnecting|Offline)/);
  await live.getByLabel("Money budget").fill("$5");
  await live.getByLabel("What are you working on?").fill("Begin later");
  await live.keyboard.press("Enter");
  await expect(live.getByText("Start “Begin later”")).toBeVisible();
  const port = Number(new URL(mock.url).port);
  const again = await startMock({ port, scene: mock.scene, calls: false });
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Begin later");
  await expect(live.getByTestId("card-cost")).toContainText("of $5.00");
  await again.stop();
});
