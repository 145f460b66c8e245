import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Plugin } from "vite";

const locate = createRequire(import.meta.url);

/** Turn one Lucide file into a symbol; stroke and size come from the page's CSS. */
function symbolOf(name: string): string {
  const file = locate.resolve(`lucide-static/icons/${name}.svg`);
  const body = readFileSync(file, "utf8").match(/<svg[^>]*>([\s\S]*)<\/svg>/)?.[1] ?? "";
  if (!body) throw new Error(`Icon ${name} has no shapes.`);
  return `<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s+/g, " ").trim()}</symbol>`;
}

/** Emit the sprites of the list, each with exactly the icons named there, and the mark for the browser's tab. */
export function iconSprite(listFile: string): Plugin {
  return {
    name: "icon-sprite",
    apply: "build",
    buildStart() {
      this.addWatchFile(listFile);
    },
    generateBundle() {
      const sprites = JSON.parse(readFileSync(listFile, "utf8")) as Record<string, string[]>;
      for (const [name, icons] of Object.entries(sprites)) {
        const source = `<svg xmlns="http://www.w3.org/2000/svg">${icons.map(symbolOf).join("")}</svg>`;
        this.emitFile({ type: "asset", name: `${name}.svg`, source });
      }
      this.emitFile({ type: "asset", name: "mark.svg", source: readFileSync("src/mark.svg", "utf8") });
    },
  };
}
