import { busyScene } from "../mock/scene";
import { expect, test } from "./fixtures";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a session's charts are drawn, said in words, and kept in the address", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      const { mock } = server;
      test.skip(!mock, "draws an invented session");
      if (!mock) return;
      Object.assign(mock.scene, busyScene());
      await live.reload();
      const grown = live.getByRole("figure", { name: "Tokens over time" });
      await expect(grown).toContainText(/tokens after 1.h.1\d.min; .+ to .+ by the end \(80 % range\)/);
      await expect.poll(() => grown.locator("canvas").evaluate(isDrawn)).toBe(true);
      await grown.getByText("As a table").click();
      await expect(grown.getByRole("row")).toHaveCount(13);

      await live.getByRole("button", { name: "Cost" }).click();
      await expect(live).toHaveURL(/\?curve=cost$/);
      const cost = live.getByRole("figure", { name: "Cost over time" });
      await expect(cost).toContainText(/\$\S+ after/);
      await live.reload();
      await expect(cost).toBeVisible();

      await expect(live.getByRole("region", { name: "Conversations" })).toContainText("claude-code");
    });
  });
}

/** Whether anything is on the canvas. */
const isDrawn = (canvas: SVGElement | HTMLElement): boolean => {
  if (!(canvas instanceof HTMLCanvasElement) || canvas.width === 0) return false;
  const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
  return Array.from(data).some((value) => value !== 0);
};
