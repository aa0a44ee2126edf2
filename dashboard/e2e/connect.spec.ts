import { expect, test } from "./fixtures";
import { isAccessible, visit } from "./look-at";

test("a first run leads here, once", { tag: "@mock" }, async ({ page, server }) => {
  test.skip(!server.mock, "needs a server where nothing has happened");
  await page.goto(server.url);
  await expect(page).toHaveURL(`${server.url}/connect`);
  await expect(page).toHaveTitle("Connect — Moonlock");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Live" }).click();
  await expect(page.getByLabel("What are you working on?")).toBeVisible();
});

test("a tool's text has this machine's address, and the session's where one is chosen", async ({
  live,
  server,
}) => {
  await visit(live, server, "/connect");
  await live.getByRole("button", { name: "Codex" }).press("Enter");
  await expect(live.getByRole("heading", { name: "Codex", exact: true })).toBeVisible();
  await expect(live).toHaveURL(/tool=codex/);
  const text = live.getByTestId("tool-text");
  await expect(text).toHaveText(/^openai_base_url = "http:\/\/127\.0\.0\.1:\d+\/openai\/v1"$/);

  await live.goto(`${server.url}/connect?tool=codex&session=My+work`);
  await expect(text).toHaveText(/:\d+\/s\/My%20work\/openai\/v1"$/);
  await live.getByLabel("Its calls go to").selectOption("the active session");
  await expect(text).toHaveText(/:\d+\/openai\/v1"$/);
  await expect(live).not.toHaveURL(/session=/);
});

test("the waiting turns into what arrived", async ({ live, server }) => {
  await live.goto(`${server.url}/connect?tool=curl`);
  const arrival = live.getByTestId("arrival");
  const { mock } = server;
  if (!mock) {
    // The demo's tools call by themselves.
    await expect(arrival.getByRole("heading")).toHaveText(/A request arrived|curl is connected/);
    return;
  }
  await expect(arrival.getByRole("heading")).toHaveText("Waiting for the first request…");
  const end = mock.call();
  await expect(arrival.getByRole("heading")).toHaveText("A request arrived");
  await expect(arrival.getByText("So far")).toBeVisible();
  end();
  await expect(arrival.getByText("Took")).toBeVisible();

  const [call] = mock.scene.calls;
  if (!call) throw new Error("the mock lost its call");
  const own = { ...call, id: `${call.id}-curl`, client: "curl", startedAt: call.startedAt + 1 };
  mock.publish({ kind: "call.started", data: own });
  await expect(arrival.getByRole("heading")).toHaveText("curl is connected");
  await expect(arrival.getByRole("link", { name: "See it live" })).toBeVisible();
});

test("says so while Moonlock is away", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "stops the server");
  await live.goto(`${server.url}/connect`);
  await expect(live.getByTestId("tool-text")).toBeVisible();
  await server.stop();
  await expect(live.getByTestId("arrival")).toContainText("Moonlock does not answer");
  await expect(live.getByTestId("tool-text")).toBeVisible();
});

isAccessible("Connect", async (live, server) => {
  // A tool that nobody uses here: its calls do not come.
  await visit(live, server, server.mock ? "/connect?tool=curl" : "/connect?tool=zed");
  await live.getByText("Nothing arrives from").click();
});
