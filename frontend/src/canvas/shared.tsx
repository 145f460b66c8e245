import { createContext, useContext, useLayoutEffect, useRef, type ReactNode } from "react";

/** Words, the sprite of icons and what blocks and ways may ask the canvas to do. */
export interface Desk {
  words: Record<string, string>;
  sprite: string;
  at: string;
  isPlacing: boolean;
  opened: string;
  pointed: string;
  go(item: string): void;
  openBlock(id: string): void;
  openMenu(id: string): void;
  plus(at: string): void;
  openWay(at: string): void;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  return useContext(DeskContext)!;
}

export function Icon({ name }: { name: string }): ReactNode {
  const { sprite } = useDesk();
  return (
    <svg className="icon" width={16} height={16} aria-hidden="true">
      <use href={`${sprite}#${name}`} />
    </svg>
  );
}

/** A dialog of the browser's own: it keeps the focus, Escape closes it, and the focus goes back by itself. */
export function Modal(props: { title: string; onClose(): void; children: ReactNode; css?: string }): ReactNode {
  const { words } = useDesk();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current!;
    if (!shown.open) shown.showModal();
    shown.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => shown.close();
  }, []);
  return (
    <dialog ref={dialog} className={`dialog cv-dialog ${props.css ?? ""}`} aria-labelledby="cv-dialog-title" onClose={props.onClose} onKeyDown={(event) => event.stopPropagation()}>
      <div className="dialog-body">
        <h2 id="cv-dialog-title">{props.title}</h2>
        <button className="btn btn-ghost btn-sm btn-square dialog-close" type="button" aria-label={words.close} onClick={() => dialog.current?.close()}>
          <Icon name="x" />
        </button>
        {props.children}
      </div>
    </dialog>
  );
}
