import { useState, type KeyboardEvent, type ReactNode } from "react";

import { Icon, Modal, useDesk } from "./shared";
import type { Block, Family, Kind, Way } from "./types";

/** Arrow keys walk the buttons of a menu; the search box is the one above the first. */
function walkMenu(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input, .cv-choice")];
  const next = stops.indexOf(document.activeElement as HTMLElement) + step;
  event.preventDefault();
  stops[Math.max(0, Math.min(stops.length - 1, next))]?.focus();
}

function fits(text: string, asked: string): boolean {
  return asked.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
}

function SearchBox(props: { label: string; value: string; onChange(value: string): void; onEnter(): void }): ReactNode {
  return (
    <input
      className="input" type="search" data-first aria-label={props.label} placeholder={props.label} value={props.value}
      onChange={(event) => props.onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        event.preventDefault(); // else the button that gets the focus back is pressed as well
        props.onEnter();
      }}
    />
  );
}

/** What can be put on a way, by families, each kind with a line of help. */
export function KindMenu(props: { families: Family[]; onChoose(kind: Kind): void; onClose(): void }): ReactNode {
  const { words } = useDesk();
  const [asked, setAsked] = useState("");
  const shown = props.families
    .map((family) => ({ ...family, kinds: family.kinds.filter((kind) => fits(`${kind.name} ${kind.help} ${family.name}`, asked)) }))
    .filter((family) => family.kinds.length);
  const first = shown[0]?.kinds[0];
  return (
    <Modal title={words.insert!} onClose={props.onClose} css="cv-kinds">
      <div onKeyDown={walkMenu}>
        <SearchBox label={words.searchKinds!} value={asked} onChange={setAsked} onEnter={() => first && props.onChoose(first)} />
        {shown.map((family) => (
          <section key={family.family} aria-label={family.name}>
            <h3>{family.name}</h3>
            {family.kinds.map((kind) => (
              <button key={kind.kind} type="button" className={`cv-choice is-${family.family}`} data-kind={kind.kind} onClick={() => props.onChoose(kind)}>
                <span className="cv-mark"><Icon name={kind.icon} /></span>
                <span><span className="strong">{kind.name}</span><small>{kind.help}</small></span>
              </button>
            ))}
          </section>
        ))}
        {!first && <p className="muted" role="status">{words.noKind}</p>}
      </div>
    </Modal>
  );
}

/** A block to go to, or to lead a way to; `ownEnd` offers an end besides. */
export function StepMenu(props: { title: string; blocks: Block[]; ownEnd: boolean; onChoose(id: string): void; onClose(): void }): ReactNode {
  const { words } = useDesk();
  const [asked, setAsked] = useState("");
  const shown = props.blocks.filter((block) => fits(`${block.number} ${block.title} ${block.detail} ${block.note}`, asked));
  const first = shown[0];
  return (
    <Modal title={props.title} onClose={props.onClose}>
      <div onKeyDown={walkMenu}>
        <SearchBox label={words.searchSteps!} value={asked} onChange={setAsked} onEnter={() => first && props.onChoose(first.id)} />
        {props.ownEnd && (
          <button type="button" className="cv-choice is-end" onClick={() => props.onChoose("")}>
            <span className="cv-mark"><Icon name="flag" /></span><span className="strong">{words.ownEnd}</span>
          </button>
        )}
        {shown.map((block) => (
          <button key={block.id} type="button" className={`cv-choice is-${block.family}`} onClick={() => props.onChoose(block.id)}>
            <span className="cv-mark"><Icon name={block.icon} /></span>
            <span><span className="strong">{block.number ? `${block.number}. ` : ""}{block.title}</span><small>{block.detail}</small></span>
          </button>
        ))}
        {!first && <p className="muted" role="status">{words.noStep}</p>}
      </div>
    </Modal>
  );
}

export interface Choice {
  key: string;
  icon: string;
  words: string;
  keys: string;
}

/** What can be done with a block or a way, each with its key. */
export function ActionMenu(props: { title: string; choices: Choice[]; onChoose(key: string): void; onClose(): void }): ReactNode {
  return (
    <Modal title={props.title} onClose={props.onClose}>
      <div onKeyDown={walkMenu}>
        {props.choices.map((choice, index) => (
          <button key={choice.key} type="button" className="cv-choice" data-first={index === 0 || undefined} onClick={() => props.onChoose(choice.key)}>
            <span className="cv-mark"><Icon name={choice.icon} /></span><span className="strong">{choice.words}</span><kbd>{choice.keys}</kbd>
          </button>
        ))}
      </div>
    </Modal>
  );
}

export function WayMenu(props: { ways: Way[]; onChoose(at: string): void; onClose(): void }): ReactNode {
  const { words } = useDesk();
  const choices = props.ways.map((way) => ({ key: way.at, icon: "corner-down-right", words: way.label || way.name, keys: "" }));
  return <ActionMenu title={words.whichWay!} choices={choices} onChoose={props.onChoose} onClose={props.onClose} />;
}

export function KeysHelp(props: { onClose(): void }): ReactNode {
  const { words } = useDesk();
  const keys: [string[], string | undefined][] = [
    [["↑", "↓", "←", "→"], words.keyArrows],
    [["Enter"], words.keyEnter],
    [["+", "Insert"], words.keyInsert],
    [["Delete"], words.keyDelete],
    [["Ctrl C"], words.keyCopy],
    [["Ctrl X"], words.keyCut],
    [["Ctrl V"], words.keyPaste],
    [["l"], words.keyLead],
    [["n"], words.keyNote],
    [["Ctrl Z", "Ctrl Shift Z"], words.keyUndo],
    [["f"], words.keyFind],
    [["p"], words.keyProblem],
    [["z", "Shift Z", "0"], words.keyZoom],
    [["Esc"], words.keyEscape],
    [["?"], words.keyHelp],
  ];
  return (
    <Modal title={words.keys!} onClose={props.onClose}>
      <dl className="facts">
        {keys.map(([shown, said]) => (
          <div key={said} className="cv-key"><dt>{shown.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{said}</dd></div>
        ))}
      </dl>
    </Modal>
  );
}

/** Something is typed and not saved: nothing of it is lost by itself. */
export function DirtyDialog(props: { onSave(): void; onDrop(): void; onStay(): void }): ReactNode {
  const { words } = useDesk();
  return (
    <Modal title={words.dirtyTitle!} onClose={props.onStay}>
      <div className="dialog-actions">
        <button type="button" className="btn btn-ghost" onClick={props.onStay}>{words.dirtyStay}</button>
        <button type="button" className="btn" onClick={props.onDrop}>{words.dirtyDrop}</button>
        <button type="button" className="btn btn-primary" data-first onClick={props.onSave}>{words.dirtySave}</button>
      </div>
    </Modal>
  );
}
