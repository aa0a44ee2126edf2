import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, start } from "./fixtures";
import { complete, type Provider, startProvider } from "./provider";
import { MISSING, type Program, startProgram } from "./server";

type Crash = {
  provider: Provider;
  /** Starts the program, each time with the same database; where it was before, if it was. */
  launch: () => Promise<Program>;
};

const test = base.extend<{ crash: Crash | undefined }>({
  crash: async ({ target }, use) => {
    const { MOONLOCK_BIN: program } = process.env;
    if (target !== "real" || !program) return use(undefined);
    const directory = await mkdtemp(join(tmpdir(), "moonlock-kill-"));
    const config = join(directory, "moonlock.toml");
    await writeFile(config, "");
    const provider = await startProvider();
    let last: Program | undefined;
    const launch = async (): Promise<Program> => {
      last = await startProgram(program, ["serve"], {
        MOONLOCK_CONFIG: config,
        DB_PATH: join(directory, "moonlock.db"),
        MOONLOCK_UPSTREAM_OPENAI: provider.url,
        PORT: last ? new URL(last.dashboard).port : "0",
        PROXY_PORT: last ? new URL(last.proxy).port : "0",
      });
      return last;
    };
    await use({ provider, launch });
    await last?.end("SIGTERM");
    await provider.stop();
    await rm(directory, { recursive: true });
  },
});

test("the program is killed and started again under the open page: nothing is lost, nothing doubled", {
  tag: "@real",
}, async ({ page, crash }) => {
  test.skip(!crash, MISSING);
  if (!crash) return;
  const { provider, launch } = crash;
  const { dashboard, proxy, end } = await launch();
  await page.addInitScript(() => localStorage.setItem("moonlock.welcomed", "yes"));
  await page.goto(dashboard);
  await start(page, "Survive", "1h", "100k");
  const pill = page.getByTestId("connection");
  const calls = page.getByTestId("calls").getByRole("listitem");
  const requests = page.getByTestId("card-calls").locator("dd").first();
  const tokens = page.getByTestId("card-tokens").locator("dd").first();

  // A client's call, as it comes: who asked, what it used.
  expect(await complete(proxy)).toContain("[DONE]");
  await expect(calls.first()).toContainText("gpt-5-mini");
  await expect(calls.first()).toContainText("OpenAI Node");
  await expect(calls.first()).toContainText("Exact");
  await expect(tokens).toContainText("1,234");

  // One more is under way when the program dies.
  provider.hold();
  const cut = complete(proxy).catch(() => "cut off");
  await expect(calls.first()).toContainText("Running");
  const before = await page.getByTestId("clock").textContent();
  await end("SIGKILL");
  expect(await cut).toBe("cut off");
  await expect(pill).toHaveText(/^(Reconnecting|Offline)/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Survive");
  await expect(tokens).toContainText("1,234");

  // What is done meanwhile waits.
  await page.getByLabel("Checkpoint", { exact: true }).fill("while away");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Pause" }).click();
  await expect(
    page.getByText("Waiting for Moonlock to answer: Checkpoint “while away”, Pause “Survive”."),
  ).toBeVisible();

  await launch();
  await expect(pill).toHaveText("Live");
  await expect(page.getByText("Waiting for Moonlock")).toHaveCount(0);
  await expect(page.getByTestId("status")).toHaveText("Paused");
  await expect(page.getByRole("region", { name: "Checkpoints" }).getByRole("listitem")).toHaveText([
    /while away/,
  ]);
  await expect(calls.first()).toContainText("Interrupted");
  await expect(calls).toHaveCount(2);
  await expect(requests).toHaveText("2");
  await expect(tokens).toContainText("1,234");
  // The clock stands where it was last known, and says so; what it missed is counted if one wants it.
  await expect(page.getByText(/Moonlock was not running: .* not counted/)).toBeVisible();
  await page.getByRole("button", { name: "Count it" }).click();
  await expect
    .poll(async () => ((await page.getByTestId("clock").textContent()) ?? "") > (before ?? "-"))
    .toBe(true);

  // And it goes on.
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByTestId("status")).toHaveText("Running");
  expect(await complete(proxy)).toContain("[DONE]");
  await expect(tokens).toContainText("2,468");
  await expect(requests).toHaveText("3");
});
