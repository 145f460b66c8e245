import { EdgeLabelRenderer, Handle, Position, type Edge, type EdgeProps, type Node, type NodeProps } from "@xyflow/react";
import { memo, type ReactNode } from "react";

import { shareOf, type Route } from "./layout";
import { Icon, useDesk } from "./shared";
import type { Block, Count, Way } from "./types";

export type BlockNode = Node<{ block: Block; here?: Count; passed?: Count }, "block">;
export type WayEdge = Edge<{ way: Way; route: Route }, "way">;

const ASIDE = { left: "calc(-100% + 22px)", middle: "-50%", right: "-22px" };

export const BlockPart = memo(function BlockPart({ data }: NodeProps<BlockNode>): ReactNode {
  const { block, here, passed } = data;
  const desk = useDesk();
  const css = ["cv-block", `is-${block.family}`];
  if (block.problems.length) css.push("has-problem");
  if (desk.opened === block.id) css.push("is-open");
  if (desk.pointed === block.id) css.push("is-pointed");
  return (
    <div className={css.join(" ")}>
      {block.family !== "start" && block.family !== "goals" && <Handle type="target" position={Position.Top} isConnectableStart={false} />}
      <button
        type="button"
        className="cv-box nodrag"
        data-item={block.id}
        tabIndex={desk.at === block.id ? 0 : -1}
        aria-label={block.name}
        onFocus={() => desk.go(block.id)}
        onClick={() => desk.openBlock(block.id)}
      >
        <span className="cv-mark"><Icon name={block.icon} /></span>
        <span className="cv-words">
          <span className="cv-title" title={block.title}>{block.number ? `${block.number}. ` : ""}{block.title}</span>
          {block.detail && <span className="cv-detail" title={block.detail}>{block.detail}</span>}
        </span>
      </button>
      {block.note && <p className="cv-note" title={block.note} aria-hidden="true"><Icon name="sticky-note" /><span>{block.note}</span></p>}
      {block.problems.length > 0 && <p className="cv-problem" title={block.problems.join(" ")} aria-hidden="true"><Icon name="circle-alert" /><span>{block.problems[0]}</span></p>}
      {(here || passed) && (
        <p className="cv-counts">
          {here && <CountLink count={here} css="is-here" />}
          {passed && <CountLink count={passed} css="" />}
        </p>
      )}
      {(block.canRemove || block.canCopy) && (
        <button type="button" className="cv-more nodrag" tabIndex={-1} aria-label={`${desk.words.more}: ${block.title}`} onClick={() => desk.openMenu(block.id)}>
          <Icon name="ellipsis" />
        </button>
      )}
      {block.ways.map((way, index) => (
        <Handle key={way.port} id={way.port} type="source" position={Position.Bottom} isConnectableStart={false} style={{ left: `${shareOf(index, block.ways.length) * 100}%` }} />
      ))}
    </div>
  );
});

function CountLink({ count, css }: { count: Count; css: string }): ReactNode {
  return count.url ? (
    <a className={`cv-count nodrag ${css}`} href={count.url} aria-label={count.name} title={count.name}>{count.text}</a>
  ) : (
    <span className={`cv-count ${css}`} title={count.name}>{count.text}</span>
  );
}

export const WayPart = memo(function WayPart({ data, markerEnd }: EdgeProps<WayEdge>): ReactNode {
  const desk = useDesk();
  const { way, route } = data!;
  const words = desk.isPlacing ? desk.words.paste : desk.words.insertHere;
  return (
    <>
      <path className="react-flow__edge-path" d={route.path} markerEnd={markerEnd} />
      <path className="react-flow__edge-interaction cv-catch" d={route.path} onClick={() => desk.openWay(way.at)} />
      <EdgeLabelRenderer>
        {way.label && (
          <span className={`cv-port nopan is-${way.port} is-${route.side}`} title={way.label} style={{ transform: `translate(${ASIDE[route.side]}, -50%) translate(${route.label.x}px, ${route.label.y}px)` }}>
            {way.label}
          </span>
        )}
        <button
          type="button"
          className={`cv-plus nopan${desk.isPlacing ? " is-placing" : ""}`}
          style={{ transform: `translate(-50%, -50%) translate(${route.plus.x}px, ${route.plus.y}px)` }}
          data-item={way.at}
          tabIndex={desk.at === way.at ? 0 : -1}
          aria-label={`${words}: ${way.name}`}
          title={words}
          onFocus={() => desk.go(way.at)}
          onClick={() => desk.plus(way.at)}
        >
          <Icon name={desk.isPlacing ? "clipboard-paste" : "plus"} />
        </button>
      </EdgeLabelRenderer>
    </>
  );
});
