// Starts the mock for `npm run dev` at PORT (3001, as the real one). SCENE is busy or empty; CALLS=0 keeps it still.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const { PORT = "3001", SCENE = "busy", CALLS = "1" } = process.env;
const { module } = await runnerImport(fileURLToPath(new URL("./server.ts", import.meta.url)));
const mock = await module.startMock({ port: Number(PORT), scene: SCENE, calls: CALLS !== "0" });
console.log(`dashboard ${mock.url}`);
