import { expect, test } from "./fixtures";
import { sideways, violations, visit } from "./look-at";

test("every setting says what holds, and who said so", async ({ live, server }) => {
  await visit(live, server, "/settings");
  const port = live.getByTestId("setting").filter({ hasText: "server.proxy_port" });
  await expect(port).toContainText("The proxy and nothing else.");
  await expect(port).toContainText("--proxy-port");
  if (!server.mock) return;
  await expect(port).toContainText("3002");
  const changed = live.getByTestId("setting").filter({ hasText: "store.durability" });
  await expect(changed).toContainText("config.toml, line 4 · default: normal · needs a restart");
});

test("one's own prices are told, and how one is made", async ({ live, server }) => {
  await visit(live, server, "/settings");
  const prices = live.getByRole("region", { name: "Your own prices" });
  await expect(prices.getByRole("button", { name: "Copy an example of a price" })).toBeVisible();
  if (!server.mock) return;
  await expect(prices.getByRole("row").nth(1)).toHaveText(
    /qwen3-coder\*.*ollama.*always.*\$0\.10.*—.*\$0\.40/,
  );
});

test("a budget is made, changed and deleted, with keys alone", async ({ live, server }) => {
  await live.goto(`${server.url}/settings`);
  await live.getByRole("button", { name: "Add a budget" }).press("Enter");
  const dialog = live.getByRole("dialog", { name: "Add a budget" });
  await live.keyboard.type("Evenings");
  await live.keyboard.press("Enter");
  await expect(dialog.getByRole("alert")).toHaveText("Give tokens, money or both.");
  await expect(dialog.getByLabel("Tokens")).toBeFocused();
  await live.keyboard.type("2M");
  await dialog.getByLabel("Money, in dollars").fill("$12.50");
  await live.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);

  const budget = live.getByTestId("budget").filter({ hasText: "Evenings" });
  await expect(budget).toContainText("Each day");
  await expect(budget).toContainText("of 2M tokens");
  await expect(budget).toContainText("of $12.50");
  await budget.getByRole("button", { name: "Edit Evenings" }).press("Enter");
  await live.getByLabel("Resets every").selectOption("Week");
  await live.getByRole("button", { name: "Save" }).press("Enter");
  await expect(budget).toContainText("Each week");
  await budget.getByRole("button", { name: "Delete Evenings" }).press("Enter");
  await budget.getByRole("button", { name: "Yes, delete it" }).press("Enter");
  await expect(budget).toHaveCount(0);
});

test("a rule is muted and told of again", async ({ live, server }) => {
  await live.goto(`${server.url}/settings#alert-rules`);
  const rule = live.getByRole("switch", { name: "Tell of: Idle session" });
  await expect(rule).toBeChecked();
  await expect(rule).toBeInViewport();
  await rule.press("Space");
  await expect(rule).not.toBeChecked();
  await live.reload();
  await expect(rule).not.toBeChecked();
  await rule.press("Space");
  await expect(rule).toBeChecked();
});

test("a target of notifications is tested", async ({ live, server }) => {
  await visit(live, server, "/settings#notifications");
  await expect(live.getByText("A target stands in the configuration file", { exact: false })).toBeVisible();
  if (!server.mock) return;
  const targets = live.getByTestId("target");
  await expect(targets).toContainText(["Slack", "503 Service Unavailable"]);
  await targets.first().getByRole("button", { name: "Test team" }).press("Enter");
  await expect(targets.first()).toContainText("The test arrived.");
  await targets.last().getByRole("button", { name: "Test pager" }).press("Enter");
  await expect(targets.last()).toContainText("The test did not arrive: the answer was 503");
});

test("everything can be taken along", async ({ live, server }) => {
  await live.goto(`${server.url}/settings`);
  await expect(live.getByRole("link", { name: "CSV for a spreadsheet" })).toHaveAttribute(
    "href",
    "/api/export?format=csv",
  );
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("Settings is accessible", async ({ live, server }) => {
      await visit(live, server, "/settings");
      expect(await violations(live)).toEqual([]);
      await live.setViewportSize({ width: 360, height: 740 });
      expect(await violations(live)).toEqual([]);
      await expect.poll(() => sideways(live)).toBe(0);
      await live.getByRole("button", { name: "Add a budget" }).click();
      expect(await violations(live)).toEqual([]);
    });
  });
}
