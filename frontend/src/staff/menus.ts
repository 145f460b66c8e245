const EDGE = 8;

/** Only one menu is open at a time; a click elsewhere or Escape closes it and gives the focus back. */
export function watchMenus(): void {
  const opened = (): HTMLDetailsElement[] => [...document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")];

  document.addEventListener("click", (event) => {
    for (const menu of opened()) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
  document.addEventListener("toggle", (event) => keepInWindow(event.target as HTMLElement), true);
  document.addEventListener("keydown", (event) => {
    const [menu] = opened();
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(menu, event.key === "ArrowDown" ? 1 : -1);
    }
  });
}

/** Move a sheet that opens near the right edge to the left, so that all of it can be read. */
function keepInWindow(menu: HTMLElement): void {
  const sheet = menu.matches("details.menu[open]") ? menu.querySelector<HTMLElement>(":scope > .menu-sheet") : null;
  if (!sheet) return;
  sheet.style.translate = "";
  const beyond = sheet.getBoundingClientRect().right + EDGE - document.documentElement.clientWidth;
  if (beyond > 0) sheet.style.translate = `${-Math.ceil(beyond)}px`;
}

function step(menu: HTMLDetailsElement, by: number): void {
  const items = [...menu.querySelectorAll<HTMLElement>(".menu-sheet a, .menu-sheet button, .menu-sheet input")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + by + items.length) % items.length]?.focus();
}
