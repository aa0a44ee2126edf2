import { expect, start, test } from "./fixtures";
import { isAccessible, violations, visit } from "./look-at";

test("every setting says what holds, and who said so", async ({ live, server }) => {
  await visit(live, server, "/settings");
  const port = live.getByTestId("setting").filter({ hasText: "server.proxy_port" });
  await expect(port).toContainText("The proxy and nothing else.");
  await expect(port).toContainText("--proxy-port");
  if (!server.mock) return;
  await expect(port).toContainText("3002");
  const changed = live.getByTestId("setting").filter({ hasText: "store.durability" });
  await expect(changed).toContainText("config.toml, line 4 · default: normal · a change needs a restart");
});

test("a setting is changed where it stands, and holds or says that it will", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  await visit(live, server, "/settings");
  const panel = live.getByRole("region", { name: "Configuration" });
  const idle = panel.getByTestId("setting").filter({ hasText: "sessions.idle_minutes" });
  const change = idle.getByRole("button", { name: "Change sessions.idle_minutes" });
  const field = idle.getByLabel("sessions.idle_minutes", { exact: true });
  await change.press("Enter");
  await live.keyboard.type("often");
  await live.keyboard.press("Enter");
  await expect(idle.getByRole("alert")).toHaveText("Give a whole number.");
  await field.fill("0");
  await live.keyboard.press("Enter");
  await expect(idle.getByText("Must be at least 1")).toBeVisible();
  await field.fill("45");
  await live.keyboard.press("Enter");
  await expect(idle).toContainText("Saved; it holds now.");
  await expect(idle).toContainText("config.toml, line 30 · default: 30");
  await expect(change).toBeFocused();
  await idle.getByRole("button", { name: "Reset" }).press("Enter");
  await expect(idle).not.toContainText("default: 30");

  const estimates = panel.getByTestId("setting").filter({ hasText: "estimates.enabled" });
  await estimates.getByRole("switch").press("Space");
  await expect(estimates).toContainText("holds after a restart");
  await expect(panel.getByText("Start Moonlock again:")).toBeVisible();
  const host = panel.getByTestId("setting").filter({ hasText: "server.host" });
  await expect(host.getByRole("button")).toHaveCount(0);
});

test("budgets alert at the shares that are set, and their bars are drawn by them", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  await start(live, "with a budget", "", "1000");
  const ticks = live.getByTestId("alert-at");
  const places = () => ticks.evaluateAll((all) => all.map((tick) => (tick as HTMLElement).style.left));
  await expect.poll(places).toEqual(["80%", "95%"]);

  await live.goto(`${server.url}/settings`);
  const shares = live.getByTestId("setting").filter({ hasText: "alerts.at_percent" });
  const change = shares.getByRole("button", { name: "Change alerts.at_percent" });
  const field = shares.getByLabel("alerts.at_percent", { exact: true });
  await change.press("Enter");
  await expect(field).toHaveValue("80, 95");
  await field.fill("half");
  await live.keyboard.press("Enter");
  await expect(shares.getByRole("alert")).toHaveText("Give whole numbers, such as 80, 95.");
  await field.fill("50, 100");
  await live.keyboard.press("Enter");
  await expect(shares.getByRole("alert")).toContainText("1 to 99");
  await field.fill("25, 50, 75");
  await live.keyboard.press("Enter");
  await expect(shares).toContainText("Saved; it holds now.");
  await expect(shares).toContainText("25, 50, 75");
  await expect(shares).toContainText("default: 80, 95");

  await live.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Live" }).click();
  await expect.poll(places).toEqual(["25%", "50%", "75%"]);
  await live.goto(`${server.url}/settings`);
  await shares.getByRole("button", { name: "Reset" }).press("Enter");
  await expect(shares.getByRole("button", { name: "Reset" })).toHaveCount(0);
});

test("a time zone is chosen by keyboard, and days are cut in it", async ({ live, server }) => {
  await visit(live, server, "/settings");
  const general = live.getByRole("region", { name: "General" });
  await expect(general.getByTestId("zone")).toContainText("this browser’s");
  await general.getByRole("button", { name: "Change the time zone" }).press("Enter");
  const dialog = live.getByRole("dialog", { name: "Time zone" });
  await live.keyboard.type("kathmandu");
  await expect(dialog.getByRole("listitem")).toHaveCount(1);
  await live.keyboard.press("Tab");
  await live.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(general.getByTestId("zone")).toHaveText("Asia/Kathmandu, GMT+5:45");

  await visit(live, server, "/analytics?range=today");
  await expect(live.getByRole("link", { name: "Asia/Kathmandu time" })).toBeVisible();
  const asked = await live.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map(({ name }) => new URL(name))
      .filter(({ pathname }) => pathname === "/api/analytics/usage")
      .map(({ searchParams }) => [searchParams.get("timeZone"), Number(searchParams.get("from"))] as const),
  );
  expect(asked.length).toBeGreaterThan(0);
  const day = 24 * 60 * 60_000;
  for (const [zone, from] of asked) {
    expect(zone).toBe("Asia/Kathmandu");
    expect((from + 5.75 * 60 * 60_000) % day).toBe(0);
  }

  await live.goto(`${server.url}/settings`);
  await general.getByRole("button", { name: "Change the time zone" }).click();
  await dialog.getByRole("button", { name: "This browser’s" }).click();
  await expect(general.getByTestId("zone")).toContainText("this browser’s");
});

test("one's own prices are told, added, changed and taken away", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  await visit(live, server, "/settings");
  const prices = live.getByRole("region", { name: "Your own prices" });
  const row = (place: number) => prices.getByRole("row").nth(place);
  await expect(row(1)).toHaveText(/qwen3-coder\*.*ollama.*always.*\$0\.10.*—.*\$0\.40/);
  await prices.getByRole("button", { name: "Add a price" }).press("Enter");
  const dialog = live.getByRole("dialog", { name: "Add a price" });
  await live.keyboard.press("Enter");
  await expect(dialog.getByRole("alert")).toHaveText("Say which model it is of.");
  await live.keyboard.type("my-model");
  await dialog.getByLabel("Input").fill("$2.50");
  await dialog.getByLabel("Output").fill("10");
  await live.keyboard.press("Enter");
  await expect(dialog).toHaveCount(0);
  await expect(row(2)).toHaveText(/my-model.*every provider.*always.*\$2\.50.*—.*\$10/);
  await prices.getByRole("button", { name: "Edit the price of my-model" }).press("Enter");
  await live.getByLabel("Cache read").fill("1");
  await live.getByRole("button", { name: "Save" }).press("Enter");
  await expect(row(2)).toHaveText(/\$2\.50.*\$1.*\$10/);
  await prices.getByRole("button", { name: "Delete the price of my-model" }).press("Enter");
  await expect(row(2)).toHaveCount(0);
  await prices.getByRole("button", { name: "Delete the price of qwen3-coder*" }).press("Enter");
  await expect(prices.getByText("Costs come from the built-in price list")).toBeVisible();
});

test("the database says how large it is, and is copied at a press", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  await visit(live, server, "/settings#data");
  const data = live.getByRole("region", { name: "Your data" });
  await expect(data).toContainText(/4\.8\sMB · [\d,]+\scalls since \d+ \w+ \d{4}/);
  await expect(data).toContainText("None yet");
  await data.getByRole("button", { name: "Back up now" }).press("Enter");
  await expect(data).toContainText("moonlock-2026-11-22T115307.db");
  await expect(data).toContainText(/Today \d\d:\d\d/);
});

test("how long calls are kept is chosen, and asked again before any is deleted", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  await visit(live, server, "/settings#data");
  const data = live.getByRole("region", { name: "Your data" });
  const choice = (name: string) => data.getByRole("button", { name, exact: true });
  await expect(choice("For ever")).toHaveAttribute("aria-pressed", "true");
  await expect(data).toContainText("All of them");
  await choice("1 year").press("Enter");
  await expect(choice("1 year")).toHaveAttribute("aria-pressed", "true");

  await choice("90 days").press("Enter");
  const dialog = live.getByRole("dialog", { name: /Keep calls for 90.days\?/ });
  await expect(dialog).toContainText(/Single calls from before about \d+ \w+ \d{4} will be deleted/);
  expect(await violations(live)).toEqual([]);
  await dialog.getByRole("button", { name: "Cancel" }).press("Enter");
  await expect(choice("1 year")).toHaveAttribute("aria-pressed", "true");
  await choice("90 days").press("Enter");
  await dialog.getByRole("button", { name: "Delete older calls" }).press("Enter");
  await expect(data).toContainText(/[\d,]+\scalls in all/);
  await expect(choice("90 days")).toHaveAttribute("aria-pressed", "true");
  await expect(data).toContainText(/Since \d+ \w+ \d{4} · 1\.2.MB free inside the file/);

  await choice("Other").press("Enter");
  const days = data.getByLabel("Days that calls are kept");
  await days.fill("soon");
  await live.keyboard.press("Enter");
  await expect(data.getByRole("alert")).toHaveText("Give a whole number of days, 1 or more.");
  await days.fill("120");
  await live.keyboard.press("Enter");
  await expect(choice("Other")).toHaveAttribute("aria-pressed", "true");
  await expect(days).toHaveValue("120");

  await live.goto(`${server.url}/calls`);
  await expect(live.getByText(/Calls from before \d+ \w+ \d{4} are no longer kept\./)).toBeVisible();
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

test("the section that is read stands out", async ({ live, server }) => {
  await visit(live, server, "/settings");
  const sections = live.getByRole("navigation", { name: "Sections of this page" });
  await expect(sections.locator("[aria-current]")).toHaveText("General");
  await sections.getByRole("link", { name: "Your data" }).click();
  await expect(sections.locator("[aria-current]")).toHaveText("Your data");
});

test("everything can be taken along", async ({ live, server }) => {
  await live.goto(`${server.url}/settings`);
  await expect(live.getByRole("link", { name: "CSV for a spreadsheet" })).toHaveAttribute(
    "href",
    "/api/export?format=csv",
  );
});

isAccessible("Settings", (live, server) => visit(live, server, "/settings"));

isAccessible("the list of time zones", async (live, server) => {
  await visit(live, server, "/settings");
  await live.getByRole("button", { name: "Change the time zone" }).click();
});

isAccessible("the form of a budget", async (live, server) => {
  await visit(live, server, "/settings");
  await live.getByRole("button", { name: "Add a budget" }).click();
});

isAccessible("the form of a price", async (live, server) => {
  await visit(live, server, "/settings");
  await live.getByRole("button", { name: "Add a price" }).click();
});
