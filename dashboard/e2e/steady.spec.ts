import { busyScene, emptyScene } from "../mock/scene";
import { expect, test } from "./fixtures";
import { shifted, viewports, watchShifts } from "./shifts";

/** How much of the page nothing may move while it comes: a tenth of what is still called good. */
const MOST = 0.01;

const paths = [
  "/",
  "/sessions",
  "/compare",
  "/analytics",
  "/calls",
  "/alerts",
  "/limits",
  "/connect",
  "/settings",
];

for (const viewport of viewports) {
  test.describe(`${viewport.width} wide`, () => {
    test.use({ viewport });

    // The demo of the real program goes on by itself: an alert that is raised meanwhile moves what it is told above.
    test("nothing moves while a page comes, with and without something on it", { tag: "@mock" }, async ({
      live,
      server,
    }) => {
      await watchShifts(live);
      const moved: string[] = [];
      for (const scene of [emptyScene(), busyScene()]) {
        for (const path of paths) {
          if (server.mock) Object.assign(server.mock.scene, scene);
          await live.goto(server.url + path);
          await expect(live.getByRole("heading", { level: 1 })).toBeVisible();
          const sum = await shifted(live);
          moved.push(`${path} ${sum.toFixed(4)}`);
          expect.soft(sum, path).toBeLessThanOrEqual(MOST);
        }
      }
      console.log(`moved of a page, ${viewport.width} wide: ${moved.join(", ")}`);
    });
  });
}
