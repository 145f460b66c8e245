import { forwardRef, useEffect, useImperativeHandle, useRef, useState, type ReactNode } from "react";

import { ask } from "./server";
import { useDesk } from "./shared";
import type { Answer } from "./types";

export interface PanelHandle {
  isDirty(): boolean;
  save(): void;
}

interface Props {
  url: string;
  focusOn: string;
  onAnswer(answer: Answer): void;
  onClose(): void;
}

/** The form of a step, as the server writes it. It is sent as it stands; what comes back is shown in its place. */
export const Panel = forwardRef<PanelHandle, Props>(function Panel({ url, focusOn, onAnswer, onClose }, ref): ReactNode {
  const { words } = useDesk();
  const box = useRef<HTMLDivElement>(null);
  const dirty = useRef(false);
  const [html, setHtml] = useState("");
  const [trouble, setTrouble] = useState("");
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    let isGone = false;
    void ask(url).then((answer) => {
      if (isGone) return;
      dirty.current = false;
      if (answer.kind === "form") setHtml(answer.html);
      else setTrouble(words.lost!);
    });
    return () => {
      isGone = true;
    };
  }, [url]);

  useEffect(() => {
    if (!html) return;
    box.current!.innerHTML = html;
    box.current!.querySelectorAll<HTMLElement>("form").forEach((form) => form.removeAttribute("data-guard"));
    const first = box.current!.querySelector<HTMLElement>(".error-summary, .banner[role=alert]") ?? box.current!.querySelector<HTMLElement>(focusOn || "h2");
    first?.setAttribute("tabindex", first.getAttribute("tabindex") ?? "-1");
    first?.focus();
  }, [html]);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (dirty.current) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, []);

  async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    setTrouble("");
    const to = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? url;
    const answer = await ask(to, new FormData(form, submitter));
    setBusy(false);
    if (answer.kind === "form") {
      dirty.current = true;
      setHtml(answer.html);
    } else if (answer.kind === "refused") setTrouble(answer.why);
    else if (answer.kind === "lost") setTrouble(words.lost!);
    else dirty.current = false;
    if (answer.kind !== "refused" && answer.kind !== "lost") onAnswer(answer);
  }

  useImperativeHandle(ref, () => ({
    isDirty: () => dirty.current,
    save: () => box.current?.querySelector<HTMLFormElement>("form.block-form")?.requestSubmit(),
  }));

  return (
    <aside
      className="cv-panel"
      aria-label={words.panel}
      aria-busy={isBusy || !html}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") onClose();
      }}
    >
      {trouble && <p className="banner tone-failed" role="alert">{trouble}</p>}
      <div
        ref={box}
        onInput={() => (dirty.current = true)}
        onSubmit={(event) => {
          event.preventDefault();
          void send(event.target as HTMLFormElement, (event.nativeEvent as SubmitEvent).submitter);
        }}
        onClick={(event) => {
          if (!(event.target as Element).closest("[data-closes-panel]")) return;
          event.preventDefault();
          onClose();
        }}
      />
    </aside>
  );
});
