import { expect, test } from "./fixtures";
import { isAccessible, visit } from "./look-at";

test("a range, a split and a measure live in the address, and change what is drawn", {
  tag: "@mock",
}, async ({ live, server }) => {
  test.skip(!server.mock, "invents a year");
  await visit(live, server, "/analytics");
  const chart = live.getByRole("figure", { name: "Tokens over time" });
  await expect(chart).toContainText("Each bar is one day.");
  await expect(chart).toContainText("Cache read makes");
  await live.getByRole("button", { name: "Year", exact: true }).click();
  await expect(live).toHaveURL(/range=year/);
  await expect(chart).toContainText("Each bar is one week.");
  await live.getByLabel("Split by").selectOption("By model");
  await expect(chart).toContainText("claude-sonnet-4-5 makes");
  await live.getByRole("button", { name: "Cost", exact: true }).press("Enter");
  await expect(live).toHaveURL(/measure=cost/);
  const cost = live.getByRole("figure", { name: "Cost over time" });
  await cost.getByText("As a table").click();
  await expect(cost.getByRole("columnheader", { name: "gpt-5.1-codex" })).toBeVisible();
  await live.reload();
  await expect(cost).toContainText("Each bar is one week.");
  await expect(live.getByText(/of the tokens .* have no price/)).toBeVisible();
});

test("days of one's own can be looked at", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "invents a year");
  await visit(live, server, "/analytics");
  await live.getByRole("button", { name: "From–to" }).click();
  await expect(live.getByLabel("From", { exact: true })).toHaveValue(/^\d{4}-\d{2}-\d{2}$/);
  await live.getByLabel("From", { exact: true }).fill("2020-01-01");
  await live.getByLabel("To", { exact: true }).fill("2020-01-02");
  await expect(live.getByText("No calls in this range")).toBeVisible();
  await live.getByRole("button", { name: "Look at all time" }).click();
  await expect(live).not.toHaveURL(/from=/);
  await expect(live.getByRole("figure", { name: "Tokens over time" })).toContainText(
    "Each bar is one month.",
  );
});

test("what was used when is a picture and a table", async ({ live, server }) => {
  await visit(live, server, "/analytics?range=all");
  await expect(live.getByRole("table", { name: "Models with their tokens, cost and speed" })).toContainText(
    /claude|gpt|gemini/,
  );
  const week = live.getByRole("figure", { name: "This range, by weekday and hour" });
  await expect(week).toContainText("The busiest is");
  await week.getByText("As a table", { exact: true }).click();
  await expect(week.getByRole("cell", { name: "Monday" })).toBeVisible();
  await expect(live.getByRole("figure", { name: "The last year, by day" })).toContainText("days had calls");
});

test("nothing used yet leads to Connect", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "needs a server where nothing has happened");
  await live.goto(`${server.url}/analytics?range=all`);
  await expect(live.getByText("Nothing was used yet")).toBeVisible();
  await live.getByRole("link", { name: "Connect a tool" }).click();
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Connect");
});

isAccessible("Analytics", (live, server) =>
  visit(live, server, "/analytics?range=custom&from=2026-01-01&to=2030-01-01&by=model"),
);
