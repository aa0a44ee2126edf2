import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev` finds a running Moonlock, or the mock of `npm run mock`. */
const moonlock = process.env["MOONLOCK_URL"] ?? "http://127.0.0.1:3001";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: ["chrome123", "firefox120", "safari17.5"],
    // The page's policy is `default-src 'self'`: nothing may become a data: URL or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": moonlock,
      "/ws": { target: moonlock, ws: true },
    },
  },
});
