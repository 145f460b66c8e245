import { useState, type ReactNode } from "react";

import { Icon, useDesk } from "./shared";
import type { Draft } from "./types";

interface Props {
  draft: Draft;
  hasTour: boolean;
  hasMap: boolean;
  isPlacing: boolean;
  onUndo(): void;
  onRedo(): void;
  onFind(): void;
  onZoom(by: number): void;
  onFit(): void;
  onMap(): void;
  onKeys(): void;
  onTour(): void;
  onProblem(at: string): void;
  onCancel(): void;
}

export function Toolbar(props: Props): ReactNode {
  const { words } = useDesk();
  const { draft } = props;
  const [isListed, setListed] = useState(false);
  return (
    <div className="cv-tools" role="group" aria-label={words.tools}>
      <Tool icon="undo-2" words={words.undo!} onClick={props.onUndo} isOff={!draft.canUndo} />
      <Tool icon="redo-2" words={words.redo!} onClick={props.onRedo} isOff={!draft.canRedo} />
      <span className="cv-line" />
      <Tool icon="search" words={words.find!} onClick={props.onFind} />
      <Tool icon="zoom-out" words={words.zoomOut!} onClick={() => props.onZoom(-1)} />
      <Tool icon="zoom-in" words={words.zoomIn!} onClick={() => props.onZoom(1)} />
      <Tool icon="maximize" words={words.fit!} onClick={props.onFit} />
      <Tool icon="map" words={words.map!} onClick={props.onMap} isOn={props.hasMap} />
      <span className="cv-line" />
      <Tool icon="keyboard" words={words.keys!} onClick={props.onKeys} />
      {props.hasTour && (
        <button type="button" className="btn btn-ghost btn-sm" onClick={props.onTour}><Icon name="footprints" />{words.tour}</button>
      )}
      <span className="cv-room" />
      {props.isPlacing && <button type="button" className="btn btn-sm" onClick={props.onCancel}><Icon name="x" />{words.cancel}</button>}
      {draft.problems.length > 0 && (
        <div className="cv-problems">
          <button type="button" className="btn btn-sm cv-alarm" aria-expanded={isListed} onClick={() => setListed(!isListed)}>
            <Icon name="circle-alert" />{draft.problemsTitle}
          </button>
          {isListed && (
            <ul>
              {draft.problems.map((problem) => (
                <li key={problem.at + problem.text}><button type="button" onClick={() => (setListed(false), props.onProblem(problem.at))}>{problem.text}</button></li>
              ))}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}

function Tool(props: { icon: string; words: string; onClick(): void; isOff?: boolean; isOn?: boolean }): ReactNode {
  return (
    <button type="button" className="btn btn-ghost btn-sm btn-square" aria-label={props.words} title={props.words} disabled={props.isOff} aria-pressed={props.isOn} onClick={props.onClick}>
      <Icon name={props.icon} />
    </button>
  );
}
