/**
 * data-submit-on-change sends a form as soon as a field changes. data-guard warns before leaving with unsaved words.
 * A submitted form's button is held, so that a second click does not send it twice.
 */
export function watchForms(): void {
  const touched = new Set<HTMLFormElement>();

  document.addEventListener("change", (event) => {
    const form = (event.target as Element).closest<HTMLFormElement>("form[data-submit-on-change]");
    form?.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    const form = (event.target as Element).closest<HTMLFormElement>("form[data-guard]");
    if (form) touched.add(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    touched.delete(form);
    if (form.method === "get" || form.method === "dialog" || event.defaultPrevented) return;
    const button = event.submitter;
    if (button instanceof HTMLButtonElement) setTimeout(() => (button.disabled = true));
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll<HTMLButtonElement>("form button:disabled:not([data-off])").forEach((b) => (b.disabled = false));
  });
  window.addEventListener("beforeunload", (event) => {
    if ([...touched].some((form) => form.isConnected)) event.preventDefault();
  });
}
