/** A button with data-opens="id" opens that dialog; data-closes, or a click beside it, closes it. */
export function watchDialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.opens ?? "");
      if (dialog instanceof HTMLDialogElement) dialog.showModal();
      opener.closest("details")?.removeAttribute("open");
      return;
    }
    if (target.closest("[data-closes]") || (target instanceof HTMLDialogElement && isBeside(target, event))) {
      target.closest("dialog")?.close();
    }
  });
}

function isBeside(dialog: HTMLDialogElement, event: MouseEvent): boolean {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
