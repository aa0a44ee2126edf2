import { busyScene } from "../mock/scene";
import { expect, test } from "./fixtures";

test("an alert says how much it matters, and is silent when it was seen or snoozed", {
  tag: "@mock",
}, async ({ live, server }) => {
  const { mock } = server;
  test.skip(!mock, "invents alerts");
  if (!mock) return;
  Object.assign(mock.scene, busyScene());
  await live.reload();
  const alerts = live.getByTestId("alert");
  await expect(alerts).toContainText(["Critical", "Warning", "Info"]);

  await alerts.filter({ hasText: "Critical" }).getByRole("button", { name: "Acknowledge" }).click();
  await expect(alerts).toContainText(["Warning", "Info"]);
  await alerts.filter({ hasText: "Info" }).getByRole("button", { name: "Snooze 1 h" }).press("Enter");
  await expect(alerts).toHaveCount(1);
});
