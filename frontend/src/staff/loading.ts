/** Show the thin line while htmx waits, keep the old rows, and say an error in words instead of doing nothing. */
export function watchLoading(): void {
  const root = document.documentElement;
  const mark = (event: Event, busy: boolean): void => {
    root.classList.toggle("is-loading", busy);
    const target = (event as CustomEvent<{ target?: Element }>).detail.target;
    target?.closest(".list")?.setAttribute("aria-busy", String(busy));
  };
  document.addEventListener("htmx:beforeRequest", (event) => mark(event, true));
  document.addEventListener("htmx:afterRequest", (event) => mark(event, false));
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, () => {
      const note = document.getElementById("offline-note");
      if (note) note.hidden = false;
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => {
    const note = document.getElementById("offline-note");
    if (note) note.hidden = true;
  });
}
