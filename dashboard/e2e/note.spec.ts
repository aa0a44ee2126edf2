import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, start, test } from "./fixtures";
import { sideways, violations } from "./look-at";

/** Opens the session's dialog, writes its note and saves it. */
const writeNote = async (live: Page, text: string): Promise<void> => {
  await live.getByRole("button", { name: "Edit" }).click();
  const dialog = live.getByRole("dialog", { name: "Edit session" });
  await dialog.getByLabel("Note").fill(text);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
};

const openReport = async (live: Page): Promise<void> => {
  await live.getByRole("link", { name: "Report" }).click();
  await expect(live.getByTestId("report")).toBeVisible();
};

test("a session's note is written, read in its report, on paper and in its file, and taken away", async ({
  live,
  server,
}) => {
  const text = "The parser is whole.\nNext: spans, and what they cost.";
  await start(live, "Noted");
  await writeNote(live, text);
  const note = live.getByTestId("note");
  await expect(note).toHaveText(text, { useInnerText: true });

  await openReport(live);
  await expect(note).toHaveText(text, { useInnerText: true });
  await live.reload();
  await expect(note).toHaveText(text, { useInnerText: true });
  await live.emulateMedia({ media: "print" });
  await expect(note).toBeVisible();
  await expect(note).toHaveText(text, { useInnerText: true });
  await live.emulateMedia({ media: "screen" });
  if (!server.mock) {
    const comes = live.waitForEvent("download");
    await live.getByRole("link", { name: "JSON" }).click();
    const file = JSON.parse(await readFile(await (await comes).path(), "utf8"));
    expect(file.sessions).toEqual([expect.objectContaining({ name: "Noted", note: text })]);
  }
  await live.goto(`${server.url}/sessions`);
  await live.getByLabel("Search name, tag or note").fill("what they cost");
  await live.getByTestId("session-list").getByRole("link", { name: "Noted" }).first().click();
  await live.getByRole("button", { name: "Open in Live" }).click();

  // What else is changed leaves its lines alone.
  await live.getByRole("button", { name: "Edit" }).click();
  await live.getByLabel("Name").fill("Noted well");
  await live.getByLabel("Note").press("ControlOrMeta+Enter");
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Noted well");
  await expect(note).toHaveText(text, { useInnerText: true });
  await writeNote(live, "");
  await expect(note).toHaveCount(0);
  await openReport(live);
  await expect(live.getByRole("heading", { level: 1 })).toHaveText("Noted well");
  await expect(note).toHaveCount(0);
});

test("a hostile note is text and nothing else, and fits a phone", async ({ live }) => {
  const text = [
    `<img src="/nothing.png" onerror="window.harmed = true"><script>window.harmed = true</script>`,
    `</p><style>body { display: none }</style><a href="javascript:window.harmed = true">here</a> {{7*7}} ${"x".repeat(400)}`,
  ].join("\n");
  await start(live, "Hostile");
  await writeNote(live, text);
  const note = live.getByTestId("note");
  const isText = async (): Promise<void> => {
    await expect(note).toHaveText(text, { useInnerText: true });
    expect(await note.evaluate((shown) => shown.childElementCount)).toBe(0);
    expect(await live.evaluate(() => Reflect.get(window, "harmed"))).toBeUndefined();
    for (const width of [1_440, 390]) {
      await live.setViewportSize({ width, height: 844 });
      await expect.poll(() => sideways(live)).toBe(0);
    }
    await live.setViewportSize({ width: 1_440, height: 900 });
  };
  await isText();
  await openReport(live);
  await isText();
  await live.reload();
  await isText();
  expect(await violations(live)).toEqual([]);
});
