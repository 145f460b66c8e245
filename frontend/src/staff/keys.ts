/** Keys of the desk: / search, g then a letter goes to a page, j and k walk the rows, Enter opens, x picks, ? lists them. */
export function watchKeys(): void {
  let waitsForPlace = false;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target as Element)) return;
    if (document.querySelector("dialog[open]")) return;
    if (waitsForPlace) {
      waitsForPlace = false;
      const link = document.querySelector<HTMLAnchorElement>(`a[data-key="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
      }
      return;
    }
    if (event.key === "g") {
      waitsForPlace = true;
      setTimeout(() => (waitsForPlace = false), 1500);
      return;
    }
    if (act(event.key)) event.preventDefault();
  });
}

function isTyping(element: Element): boolean {
  return element.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true]") !== null;
}

function act(key: string): boolean {
  switch (key) {
    case "/":
      return focusSearch();
    case "?":
      return openHelp();
    case "j":
      return walk(1);
    case "k":
      return walk(-1);
    case "x":
      return pick();
    case "Enter":
      return open();
    default:
      return false;
  }
}

function focusSearch(): boolean {
  const box = document.querySelector<HTMLInputElement>("#search");
  box?.focus();
  box?.select();
  return box !== null;
}

function openHelp(): boolean {
  const help = document.getElementById("keys-help");
  if (help instanceof HTMLDialogElement) help.showModal();
  return help !== null;
}

function rowAt(): Element | null {
  return document.querySelector("tr.is-at");
}

function walk(step: number): boolean {
  const rows = [...document.querySelectorAll("table.is-hoverable tbody tr")];
  if (!rows.length) return false;
  const at = rows.findIndex((row) => row.classList.contains("is-at"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  rows[at]?.classList.remove("is-at");
  next?.classList.add("is-at");
  next?.scrollIntoView({ block: "nearest" });
  next?.querySelector<HTMLElement>(".row-link")?.focus({ preventScroll: true });
  return true;
}

function pick(): boolean {
  const box = rowAt()?.querySelector<HTMLInputElement>(".pick input");
  box?.click();
  return Boolean(box);
}

function open(): boolean {
  if (document.activeElement?.closest("a, button, summary")) return false;
  const link = rowAt()?.querySelector<HTMLAnchorElement>(".row-link");
  link?.click();
  return Boolean(link);
}
