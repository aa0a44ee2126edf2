import { expect, test } from "./fixtures";
import { isAccessible, visit } from "./look-at";

test("a window says how far it is used and counts down to its new beginning", { tag: "@mock" }, async ({
  live,
  server,
}) => {
  test.skip(!server.mock, "invents limits");
  await visit(live, server, "/limits");
  const windows = live.getByTestId("window");
  await expect(windows).toContainText(["5 h", "week"]);
  await expect(windows.first()).toContainText("Getting near");
  await expect(windows.first()).toContainText("decides now");
  await expect(windows.first()).toContainText(/resets in 1.h.3\d.m/);

  server.mock?.publish({
    kind: "limits",
    data: {
      provider: "anthropic",
      credential: "5d0c61e9f2a7b384",
      seenAt: Date.now(),
      windows: [
        {
          name: "5h",
          kind: "plan",
          periodMs: 5 * 3_600_000,
          limit: null,
          remaining: null,
          usedPermille: 1_000,
          status: "rejected",
          deciding: true,
          resetsAt: Date.now() + 64_000,
          seenAt: Date.now(),
          stale: false,
        },
      ],
    },
  });
  await expect(windows).toHaveCount(3);
  await expect(windows.first()).toContainText("Used up");
  await expect(windows.first()).toContainText(/resets in 01:\d\d/);
  await expect(windows.first()).toContainText(/resets in 00:5\d/);
});

test("says where the numbers come from while there are none", async ({ live, server }) => {
  await live.goto(`${server.url}/limits`);
  await expect(live.getByText("No limits reported yet").or(live.getByTestId("window").first())).toBeVisible();
});

isAccessible("Limits", (live, server) => visit(live, server, "/limits"));
