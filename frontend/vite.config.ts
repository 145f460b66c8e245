import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

import { assetMap } from "./plugins/asset-map.ts";
import { iconSprite } from "./plugins/icon-sprite.ts";

// Names are hashed here, so Django serves the files as they are, for ever; manifest.json tells the templates the names.
export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [tailwindcss(), iconSprite("icons.json"), assetMap()],
  build: {
    outDir: "../recoup/web/static/build",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    chunkSizeWarningLimit: 600, // ECharts, loaded only by pages with a chart
    rolldownOptions: {
      checks: { eval: false, moduleLevelDirective: false }, // htmx holds one, which allowEval=false never reaches
      input: { staff: "src/staff.ts", canvas: "src/canvas.tsx", buyer: "src/buyer.css" },
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
