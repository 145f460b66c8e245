import { useEffect, useRef, type ReactNode } from "react";

import { useDesk } from "./shared";
import type { Stop } from "./types";

/** One stop of the guided tour: it points at a block and says what it is for. Escape leaves it. */
export function TourCard(props: { stops: Stop[]; index: number; onGo(index: number): void; onEnd(): void }): ReactNode {
  const { words } = useDesk();
  const head = useRef<HTMLHeadingElement>(null);
  const stop = props.stops[props.index]!;
  const isLast = props.index === props.stops.length - 1;
  useEffect(() => head.current?.focus(), [props.index]);
  return (
    <section
      className="cv-tour"
      role="dialog"
      aria-labelledby="cv-tour-title"
      aria-describedby="cv-tour-text"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") props.onEnd();
        if (event.key === "ArrowRight" && !isLast) props.onGo(props.index + 1);
        if (event.key === "ArrowLeft" && props.index) props.onGo(props.index - 1);
      }}
    >
      <p className="muted text-xs">{words.tourPlace!.replace("{number}", String(props.index + 1)).replace("{count}", String(props.stops.length))} · {stop.place}</p>
      <h2 id="cv-tour-title" ref={head} tabIndex={-1}>{stop.title}</h2>
      <p id="cv-tour-text">{stop.text}</p>
      <div className="cv-tour-actions">
        {!isLast && <button type="button" className="btn btn-ghost btn-sm" onClick={props.onEnd}>{words.tourSkip}</button>}
        <span className="cv-room" />
        {props.index > 0 && <button type="button" className="btn btn-sm" onClick={() => props.onGo(props.index - 1)}>{words.tourBack}</button>}
        <button type="button" className="btn btn-primary btn-sm" onClick={() => (isLast ? props.onEnd() : props.onGo(props.index + 1))}>{isLast ? words.tourEnd : words.tourNext}</button>
      </div>
    </section>
  );
}
