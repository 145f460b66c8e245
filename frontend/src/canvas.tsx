import "@xyflow/react/dist/base.css";
import "./canvas/canvas.css";

import { createRoot } from "react-dom/client";

import { App } from "./canvas/App";
import { readAll, readCounts } from "./canvas/server";
import type { Draft } from "./canvas/types";

/** The rest of the page follows the draft: what can be published or thrown away, and which state its buttons mean. */
function tellPage(draft: Draft): void {
  for (const field of document.querySelectorAll<HTMLInputElement>("input[name=lock]")) {
    if (!field.closest(".cv-panel")) field.value = draft.lock; // a form that is open keeps the state that it was written for
  }
  document.querySelectorAll<HTMLElement>("[data-when-stored]").forEach((one) => (one.hidden = !draft.isStored));
  const lead = document.getElementById("draft-lead");
  if (lead && lead.textContent !== draft.lead) lead.textContent = draft.lead;
}

function rememberChoice(): void {
  document.querySelectorAll<HTMLElement>("[data-editor-view]").forEach((link) => {
    link.addEventListener("click", () => {
      document.cookie = `recoup_editor=${link.dataset.editorView}; path=/; max-age=31536000; samesite=lax`;
    });
  });
}

async function begin(box: HTMLElement): Promise<void> {
  const url = box.dataset.url!;
  const given = await readAll(url);
  if (!given) return; // what stands there leads to the list
  const page = {
    token: box.dataset.token!,
    tourKey: `tour-${box.dataset.tour}`,
    onDraft: tellPage,
    readCounts: async () => (box.dataset.counts ? readCounts(box.dataset.counts) : null),
    readAgain: () => readAll(url),
  };
  createRoot(box).render(<App given={given} page={page} />);
}

rememberChoice();
const box = document.getElementById("canvas");
if (box) {
  // Nothing is fetched while the list is shown; a window that is made wide enough draws the canvas.
  const seen = new IntersectionObserver((found) => {
    if (!found.some((one) => one.isIntersecting)) return;
    seen.disconnect();
    void begin(box);
  });
  seen.observe(box);
}
