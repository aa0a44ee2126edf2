import { expect, test } from "./fixtures";
import { isAccessible, visit } from "./look-at";

test("what stands is acknowledged, snoozed, woken and muted, with keys alone", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  test.skip(!server.mock, "invents alerts");
  await visit(live, server, "/alerts");
  const standing = live.getByTestId("standing");
  await expect(standing).toContainText(["Critical", "Warning", "Info"]);
  const count = live.getByRole("link", { name: /Alerts.*3 to look at/ });
  await expect(count).toBeVisible();

  const critical = standing.filter({ hasText: "Critical" });
  await critical.getByRole("button", { name: "Acknowledge" }).press("Enter");
  await expect(critical).toContainText("Seen");
  const info = standing.filter({ hasText: "Info" });
  await info.getByRole("button", { name: "Snooze 15 min" }).press("Enter");
  await expect(info).toContainText("Snoozed until");
  await info.getByRole("button", { name: "Wake it" }).press("Enter");
  await expect(info.getByRole("button", { name: "Snooze until tomorrow" })).toBeVisible();

  const warning = standing.filter({ hasText: "Warning" });
  await warning.getByRole("button", { name: "Mute the rule Slow disk" }).press("Enter");
  await expect(warning).toContainText("Rule is muted");
  await live.getByRole("button", { name: "Unmute Slow disk" }).press("Enter");
  await expect(live.getByText("None muted.")).toBeVisible();
  await expect(warning.getByRole("button", { name: "Acknowledge" })).toBeVisible();
});

test("the history has filters that live in the address", { tag: "@mock" }, async ({ live, server }) => {
  test.skip(!server.mock, "invents alerts");
  await visit(live, server, "/alerts");
  const past = live.getByTestId("past-alert");
  await expect(past).toHaveCount(50);
  await live.getByRole("button", { name: "Show more" }).click();
  await expect(past).toHaveCount(64);

  await live.getByLabel("Severity", { exact: true }).selectOption("Critical");
  await expect(live).toHaveURL(/severity=critical/);
  await expect(past.first()).toContainText("Critical");
  await expect(past.filter({ hasText: "Warning" })).toHaveCount(0);
  await live.getByLabel("Rule", { exact: true }).selectOption("Slow disk");
  await expect(live.getByText("No alert fits these filters")).toBeVisible();
  await live.reload();
  await expect(live.getByText("No alert fits these filters")).toBeVisible();
  await live.getByRole("button", { name: "Clear filters" }).first().click();
  await expect(past).toHaveCount(50);
  await expect(live).toHaveURL(/\/alerts$/);
});

test("how well early warnings did is told in natural frequencies", async ({ live, server }) => {
  await live.goto(`${server.url}/alerts`);
  const record = live.getByRole("region", { name: "Track record" });
  await expect(record).toContainText(/Nothing to check yet|came true|ranges? held/);
  if (!server.mock) return;
  await expect(live.getByText("No active alerts.")).toBeVisible();
  await expect(live.getByText("No past alerts")).toBeVisible();
  await visit(live, server, "/alerts");
  await expect(live.getByText(/12 of 15.early warnings came true/)).toBeVisible();
});

isAccessible("Alerts", (live, server) => visit(live, server, "/alerts"));
