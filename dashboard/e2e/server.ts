/**
 * What the tests talk to: the real program with its scripted provider, or the mock.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Mock, startMock } from "../mock/server";

export type Server = { url: string; mock: Mock | undefined; stop: () => Promise<void> };

export const MISSING =
  "set MOONLOCK_BIN to the program, or MOONLOCK_URL to a running one, or use `npm run e2e:mock`";

/** Starts the program that MOONLOCK_BIN names; `undefined` where nothing is named. */
export const startReal = async (): Promise<Server | undefined> => {
  const { MOONLOCK_URL: url, MOONLOCK_BIN: program } = process.env;
  if (url) return { url, mock: undefined, stop: async () => {} };
  if (!program) return undefined;
  const { dashboard, end } = await startProgram(program, ["demo"], { PORT: "0", PROXY_PORT: "0" });
  return { url: dashboard, mock: undefined, stop: () => end("SIGTERM") };
};

export type Program = {
  /** Where the dashboard is, without a slash at its end. */
  dashboard: string;
  proxy: string;
  /** Sends a signal and waits until the program is gone. */
  end: (signal: "SIGTERM" | "SIGKILL") => Promise<void>;
};

/** Starts a program and waits until it has said its addresses. */
export const startProgram = async (
  program: string,
  args: string[],
  environment: Record<string, string>,
): Promise<Program> => {
  const env = { ...process.env, ...environment };
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const [dashboard, proxy] = await Promise.all([
    addressOf(child, child.stdout, "dashboard"),
    addressOf(child, child.stdout, "proxy"),
  ]);
  return {
    dashboard,
    proxy,
    end: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
};

/** `dashboard http://127.0.0.1:3001`, a line of what it prints. */
const addressOf = (child: ChildProcess, from: NodeJS.ReadableStream, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the program ended with ${code}`)));
    createInterface(from).on("line", (line) => {
      const [label, url] = line.trim().split(/\s+/);
      if (label === name && url) resolve(url.replace(/\/$/, ""));
    });
  });

export const startFake = async (): Promise<Server> => {
  const mock = await startMock({ calls: false });
  return { url: mock.url, mock, stop: mock.stop };
};
