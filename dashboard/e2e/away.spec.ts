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
      const failed = await live.getByText("This could not be read").count();
      fails = false;
      await live.getByRole("button", { name: "Try again" }).first().click();
      await expect(live.getByText("This could not be read")).toHaveCount(failed - 1);
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
