import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin, type ProxyOptions } from "vite";

/** Where `npm run dev` finds a running Moonlock, or the mock of `npm run mock`. */
const moonlock = new URL(process.env["MOONLOCK_URL"] ?? "http://127.0.0.1:3001").origin;

/**
 * Moonlock takes changes from its own pages alone. Ours, which is served beside it, is presented as one of them;
 * what another site sends keeps its `Origin`, and is refused as ever.
 */
const asOwnPage: ProxyOptions = {
  target: moonlock,
  changeOrigin: true,
  ws: true,
  configure: (proxy) => {
    const present = (onward: ClientRequest, { headers: { origin, host } }: IncomingMessage): void => {
      if (origin === `http://${host}`) onward.setHeader("origin", moonlock);
    };
    proxy.on("proxyReq", present);
    proxy.on("proxyReqWs", present);
  },
};

/** What shrinks, with the least length at which that is worth a second file. */
const isText = /\.(?:css|html|js|json|svg|webmanifest)$/;
const WORTH_IT = 512;

/** Lays what was built beside itself as `.br` and `.gz`, as small as they get: the program serves them as they are. */
const compressed: Plugin = {
  name: "compressed",
  apply: "build",
  writeBundle: ({ dir = "dist" }) => {
    for (const file of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
      const path = join(dir, file);
      if (!isText.test(file)) continue;
      const plain = readFileSync(path);
      if (plain.length < WORTH_IT) continue;
      // Brotli's default is its best already.
      writeFileSync(`${path}.br`, brotliCompressSync(plain));
      writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
    }
  },
};

export default defineConfig({
  plugins: [react(), tailwindcss(), compressed],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: ["chrome123", "firefox120", "safari17.5"],
    // The page's policy is `default-src 'self'`: nothing may become a data: URL or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": asOwnPage,
      "/ws": asOwnPage,
    },
  },
});
