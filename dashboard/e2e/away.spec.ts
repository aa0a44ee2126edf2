import { startMock } from "../mock/server";
import { expect, test } from "./fixtures";
import { visit } from "./look-at";

const pages = [
  { path: "/analytics", shows: "Models" },
  { path: "/alerts", shows: "Track record" },
  { path: "/settings", shows: "Configuration" },
  { path: "/connect", shows: "Any other tool" },
];

test.describe("while an answer fails", () => {
  for (const { path } of pages) {
    test(`${path} says so, and reads again`, async ({ live, server }) => {
      let fails = true;
      await live.route(/\/api\/(?!live)/, (route) =>
        fails
          ? route.fulfill({
              status: 400,
              contentType: "application/problem+json",
              body: JSON.stringify({ title: "Not possible", status: 400, detail: "The database is away." }),
            })
          : route.continue(),
      );
      await live.goto(server.url + path);
      await expect(live.getByText("This could not be read").first()).toBeVisible();
      await expect(live.getByText("The database is away.").first()).toBeVisible();
      await expect(live.getByTestId("connection")).toHaveText("Live");
      fails = false;
      await live.getByRole("button", { name: "Try again" }).first().click();
      // What failed together is read again together.
      await expect(live.getByText("This could not be read")).toHaveCount(0);
    });
  }
});

test("what was read stays while Moonlock is away", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "stops the server");
  const navigation = live.getByRole("navigation", { name: "Pages" });
  await visit(live, server, "/analytics");
  for (const { path, shows } of pages) {
    await navigation.locator(`a[href="${path}"]`).click();
    await expect(live.getByRole("heading", { name: shows, exact: true })).toBeVisible();
  }
  await server.stop();
  await expect(live.getByTestId("connection")).toHaveText(/Reconnecting|Offline/);
  for (const { path, shows } of pages) {
    await navigation.locator(`a[href="${path}"]`).click();
    await expect(live.getByRole("heading", { name: shows, exact: true })).toBeVisible();
  }
});

test("a page that was never opened waits for Moonlock, and opens when it is back", { tag: "@mock" }, async ({
  live,
  server: { mock },
}) => {
  test.skip(!mock, "stops the server");
  if (!mock) return;
  await mock.stop();
  await expect(live.getByTestId("connection")).toHaveText(/^Offline/);
  await live.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Compare" }).click();
  await expect(live.getByText("This page waits for Moonlock")).toBeVisible();
  const port = Number(new URL(mock.url).port);
  const again = await startMock({ port, scene: mock.scene, calls: false });
  await expect(live.getByRole("heading", { level: 1, name: "Compare" })).toBeVisible();
  await again.stop();
});

test("a page whose code a newer Moonlock does not have is loaded with the newer code", async ({ live }) => {
  let old = true;
  await live.route(/\/assets\/compare-page/, (route) =>
    old ? route.fulfill({ status: 404 }) : route.continue(),
  );
  live.once("domcontentloaded", () => {
    old = false;
  });
  await live.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Compare" }).click();
  await expect(live.getByRole("heading", { level: 1, name: "Compare" })).toBeVisible();
  expect(old).toBe(false);
});
