import type { Plugin } from "vite";

/** Write manifest.json: plain name to hashed name; drop the empty script that a stylesheet entry leaves behind. */
export function assetMap(): Plugin {
  return {
    name: "asset-map",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const names: Record<string, string> = {};
      for (const [file, part] of Object.entries(bundle)) {
        if (part.type === "chunk" && part.isEntry && part.facadeModuleId?.endsWith(".css")) {
          delete bundle[file];
        } else {
          names[file.replace(/-[\w-]{8}(\.\w+)$/, "$1")] = file;
        }
      }
      const source = JSON.stringify(Object.fromEntries(Object.entries(names).sort()), null, 2);
      this.emitFile({ type: "asset", fileName: "manifest.json", source });
    },
  };
}
