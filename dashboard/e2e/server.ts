/**
 * What the tests talk to: the real program with its scripted provider, or the mock.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Mock, startMock } from "../mock/server";

export type Server = { url: string; mock: Mock | undefined; stop: () => Promise<void> };

export const MISSING =
  "set MOONLOCK_BIN to the program, or MOONLOCK_URL to a running one, or use `npm run e2e:mock`";

/** Starts the program that MOONLOCK_BIN names; `undefined` where nothing is named. */
export const startReal = async (): Promise<Server | undefined> => {
  const { MOONLOCK_URL: url, MOONLOCK_BIN: program } = process.env;
  if (url) return { url, mock: undefined, stop: async () => {} };
  return program ? startProgram(program) : undefined;
};

const startProgram = async (program: string): Promise<Server> => {
  const env = { ...process.env, PORT: "0", PROXY_PORT: "0" };
  const child = spawn(program, ["demo"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${program} demo ended with ${code}`)));
    createInterface(child.stdout).on("line", (line) => {
      const found = /^dashboard (http:\/\/\S+)$/.exec(line.trim())?.[1];
      if (found) resolve(found.replace(/\/$/, ""));
    });
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url: await url, mock: undefined, stop };
};

export const startFake = async (): Promise<Server> => {
  const mock = await startMock({ calls: false });
  return { url: mock.url, mock, stop: mock.stop };
};
