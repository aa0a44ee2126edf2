import { defineConfig } from "@playwright/test";
import type { TargetOptions } from "./e2e/fixtures";

/** Debian's own browser: none is ever downloaded. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig<TargetOptions>({
  testDir: "e2e",
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: process.env["CI"] !== undefined,
  fullyParallel: true,
  workers: 2,
  reporter: "list",
  use: {
    // A trace halves the speed of every test: ask for one with `--trace on`. A failure has its page in words.
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    // What one of the two cannot show costs it no page: those tests say so by a tag.
    { name: "real", use: { target: "real" }, grepInvert: /@mock/ },
    { name: "mock", use: { target: "mock" }, grepInvert: /@real/ },
  ],
});
