/** A button with data-copy="#id" puts that element's text on the clipboard and says so. */
export function watchCopies(): void {
  document.addEventListener("click", async (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy ?? "");
    await navigator.clipboard.writeText(source?.textContent?.trim() ?? "");
    const live = button.querySelector("[data-copied]");
    if (live) live.textContent = button.dataset.done ?? "";
    button.classList.add("is-done");
    setTimeout(() => {
      button.classList.remove("is-done");
      if (live) live.textContent = "";
    }, 2000);
  });
}
