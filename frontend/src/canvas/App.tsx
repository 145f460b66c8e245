import { MarkerType, MiniMap, ReactFlow, ReactFlowProvider, useReactFlow, type Connection } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { layOut, type Point } from "./layout";
import { ActionMenu, DirtyDialog, KeysHelp, KindMenu, StepMenu, WayMenu, type Choice } from "./Menus";
import { Panel, type PanelHandle } from "./Panel";
import { BlockPart, WayPart, type BlockNode, type WayEdge } from "./Parts";
import { ask } from "./server";
import { DeskContext, type Desk } from "./shared";
import { Toolbar } from "./Toolbar";
import { TourCard } from "./Tour";
import type { Answer, Counts, Draft, Edit, Everything, Kind } from "./types";
import { Walk } from "./walking";

const NODE_TYPES = { block: BlockPart };
const EDGE_TYPES = { way: WayPart };
const ARROW = { type: MarkerType.ArrowClosed, width: 16, height: 16, color: "var(--line-strong)" };
const ROOM = 72;
const FRAMES = 30;

interface Held {
  block: string;
  edit: "copy" | "move";
}

type Open =
  | { menu: "insert" | "lead" | "way"; at: string }
  | { menu: "whichWay"; at: string; then(way: string): void }
  | { menu: "block" | "find" | "keys"; at: string }
  | { menu: "dirty"; at: string; then(): void };

export interface Page {
  token: string;
  tourKey: string;
  onDraft(draft: Draft): void;
  readCounts(): Promise<Counts | null>;
  readAgain(): Promise<Everything | null>;
}

export function App(props: { given: Everything; page: Page }): ReactNode {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas({ given, page }: { given: Everything; page: Page }): ReactNode {
  const { words, sprite, kinds, urls, tour } = given;
  const flow = useReactFlow<BlockNode, WayEdge>();
  const frame = useRef<HTMLDivElement>(null);
  const panel = useRef<PanelHandle>(null);
  const cameFrom = useRef("");
  const hadFocus = useRef(false);
  const latest = useRef(given.state);
  const queue = useRef(Promise.resolve());
  const wanted = useRef("");
  const kept = useRef("");
  const from = useRef<Element | null>(null); // what had the focus, until the item that gets it is drawn
  const [draft, setDraft] = useState(given.state);
  const [counts, setCounts] = useState<Counts>({});
  const [at, setAt] = useState("entry");
  const [form, setForm] = useState<{ url: string; block: string; focusOn: string; turn: number } | null>(null);
  const [open, setOpen] = useState<Open | null>(null);
  const [held, setHeld] = useState<Held | null>(null);
  const [said, setSaid] = useState("");
  const [conflict, setConflict] = useState<{ other: string; lines: string[] } | null>(null);
  const [isLost, setLost] = useState(false);
  const [hasMap, setMap] = useState(false);
  const [stop, setStop] = useState(-1);
  const [isOffered, setOffered] = useState(tour.length > 0 && localStorage.getItem(page.tourKey) === null);

  const drawn = useMemo(() => layOut(draft.blocks, (id) => id in counts), [draft, counts]);
  const walk = useMemo(() => new Walk(draft.blocks, drawn), [draft, drawn]);
  const speed = window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200;
  const pointed = tour[stop]?.at ?? "";

  useEffect(() => page.onDraft(draft), [draft]);
  useEffect(() => {
    void page.readCounts().then((found) => found && setCounts(found));
  }, [draft.lock]);

  const nodes = useMemo<BlockNode[]>(
    () =>
      draft.blocks.map((block) => {
        const place = drawn.places.get(block.id)!;
        return {
          id: block.id,
          type: "block",
          position: { x: place.x, y: place.y },
          width: place.width,
          height: place.height,
          data: { block, ...counts[block.id] },
          style: { pointerEvents: "all" as const },
          domAttributes: { "aria-roledescription": undefined },
        };
      }),
    [draft, drawn, counts],
  );
  const edges = useMemo<WayEdge[]>(
    () =>
      draft.blocks.flatMap((block) =>
        block.ways.map((way) => ({
          id: way.at,
          type: "way" as const,
          source: block.id,
          sourceHandle: way.port,
          target: way.to,
          data: { way, route: drawn.routes.get(way.at)! },
          markerEnd: ARROW,
          ariaLabel: "",
          ariaRole: "presentation" as const,
          domAttributes: { "aria-roledescription": undefined, "aria-label": undefined },
        })),
      ),
    [draft, drawn],
  );

  const middleOf = useCallback(
    (item: string): Point | undefined => {
      const place = drawn.places.get(item);
      return place ? { x: place.x + place.width / 2, y: place.y + place.height / 2 } : drawn.routes.get(item)?.plus;
    },
    [drawn],
  );

  /** Bring an item into the window if it is not there. */
  const show = useCallback(
    (item: string, always = false): void => {
      const middle = middleOf(item);
      const box = frame.current?.querySelector(".react-flow")?.getBoundingClientRect();
      if (!middle || !box) return;
      frame.current?.scrollIntoView({ block: "nearest" });
      const seen = flow.flowToScreenPosition(middle);
      const right = Math.min(box.right, frame.current?.querySelector(".cv-panel")?.getBoundingClientRect().left ?? box.right);
      const zoom = Math.max(flow.getZoom(), 0.8);
      const isSeen = seen.x > box.left + ROOM && seen.x < right - ROOM && seen.y > box.top + ROOM && seen.y < box.bottom - ROOM;
      if (always || !isSeen) void flow.setCenter(middle.x + (box.right - right) / 2 / zoom, middle.y, { zoom, duration: speed });
    },
    [middleOf, flow, speed],
  );

  // What is drawn anew loses the focus to the page: for half a second it is given back, unless it went elsewhere meanwhile.
  const keepFocus = useCallback((item: string, frames: number): void => {
    const drawn = frame.current?.querySelector<HTMLElement>(`[data-item="${CSS.escape(item)}"]`);
    const has = document.activeElement;
    const isOurs = has === drawn || has === from.current || (has === document.body && !document.querySelector("dialog[open]"));
    if (item !== kept.current || !isOurs) return;
    if (drawn && has !== drawn) drawn.focus({ preventScroll: true });
    if (drawn) from.current = null;
    if (frames) requestAnimationFrame(() => keepFocus(item, frames - 1));
  }, []);

  const focusItem = useCallback(
    (item: string): void => {
      setAt(item);
      show(item);
      kept.current = item;
      from.current = document.activeElement;
      keepFocus(item, FRAMES);
    },
    [show, keepFocus],
  );

  useEffect(() => {
    if (!walk.has(at)) setAt("entry");
    const item = wanted.current;
    if (!item) return;
    wanted.current = "";
    requestAnimationFrame(() => focusItem(walk.has(item) ? item : "entry"));
  }, [draft, walk]);

  // Where the block with the focus is taken out, the focus falls to the page: its keys are still meant for the canvas.
  useEffect(() => {
    const noteFocus = (event: FocusEvent): void => {
      hadFocus.current = frame.current?.contains(event.target as Node) ?? false;
    };
    const catchKey = (event: globalThis.KeyboardEvent): void => {
      if (event.target === document.body && hadFocus.current && !document.querySelector("dialog[open]") && act(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    document.addEventListener("focusin", noteFocus);
    document.addEventListener("keydown", catchKey, true);
    return () => {
      document.removeEventListener("focusin", noteFocus);
      document.removeEventListener("keydown", catchKey, true);
    };
  });

  useEffect(() => {
    if (pointed) show(pointed, true);
  }, [pointed]);
  useEffect(() => {
    if (form) requestAnimationFrame(() => show(form.block));
  }, [form]);

  /** Do something that leaves the open form, once what was typed in it is saved or thrown away. */
  function leave(then: () => void): void {
    if (panel.current?.isDirty()) setOpen({ menu: "dirty", at: "", then });
    else then();
  }

  function closePanel(back = form?.block || at): void {
    leave(() => {
      setForm(null);
      focusItem(walk.has(back) ? back : at);
    });
  }

  /**
   * Take in what became of an edit. A form that was opened while it was on its way is asked for again.
   *
   * Where the focus goes next is told with the answer: what is drawn anew meanwhile, as when counts come in, has no part in it.
   */
  function heard(answer: Answer, done: string, isOfForm: boolean, next = ""): void {
    setLost(answer.kind === "lost");
    if (answer.kind === "kept") wanted.current = answer.mark || next || kept.current || "entry";
    if (answer.kind === "kept" || answer.kind === "conflict") {
      take(answer.state);
      if (isOfForm) setForm(null);
      else if (!panel.current?.isDirty()) setForm((now) => now && { ...now, turn: now.turn + 1 });
    }
    if (answer.kind === "kept") {
      setConflict(null);
      setSaid([done, ...answer.said].join(" "));
    } else if (answer.kind === "conflict") setConflict(answer);
    else if (answer.kind === "refused") setSaid(answer.why);
    else if (answer.kind === "form" && answer.isConflict) void refresh();
  }

  function take(state: Draft): void {
    latest.current = state;
    setDraft(state);
  }

  async function refresh(): Promise<void> {
    const found = await page.readAgain();
    if (found) take(found.state);
  }

  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible" && !panel.current?.isDirty()) void refresh();
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);

  function edit(name: Edit, values: Record<string, string>, next = "", done = words.saved!): void {
    leave(() => {
      const body = new FormData();
      body.set("csrfmiddlewaretoken", page.token);
      Object.entries(values).forEach(([key, value]) => body.set(key, value));
      setForm(null);
      // One after the other, each on what the one before left: quick fingers are no second person.
      queue.current = queue.current.then(async () => {
        body.set("lock", latest.current.lock);
        heard(await ask(urls[name], body), done, false, next);
      });
    });
  }

  function openForm(url: string, block: string, focusOn = ""): void {
    if (form?.url === url) return;
    leave(() => {
      setOpen(null);
      setForm({ url, block, focusOn, turn: 0 });
    });
  }

  function openBlock(id: string, focusOn = ""): void {
    const block = walk.block(id);
    if (block) openForm(block.url, id, focusOn);
  }

  function insert(kind: Kind, way: string): void {
    setOpen(null);
    openForm(`${kind.url}?at=${encodeURIComponent(way)}`, way);
  }

  function remove(id: string): void {
    const block = walk.block(id);
    if (!block?.canRemove) return;
    edit("remove", { block: id }, block.ways[0]?.to);
  }

  function hold(id: string, how: Held["edit"]): void {
    const block = walk.block(id);
    if (!block?.canCopy) return;
    setHeld({ block: id, edit: how });
    setSaid(how === "copy" ? words.copied! : words.cutOut!);
  }

  function put(way: string): void {
    if (!held) return setSaid(words.nothingCopied!);
    setHeld(null);
    edit(held.edit, { block: held.block, at: way }, held.edit === "move" ? held.block : way);
  }

  function plus(way: string): void {
    if (held) put(way);
    else setOpen({ menu: "insert", at: way });
  }

  /** Act on the way at hand, or on the one way of a block; ask which one if there are several. */
  function onWay(item: string, then: (way: string) => void): void {
    const way = walk.way(item);
    const ways = walk.block(item)?.ways ?? [];
    if (way) then(way.at);
    else if (ways.length === 1) then(ways[0]!.at);
    else if (ways.length) setOpen({ menu: "whichWay", at: item, then });
    else setSaid(words.chooseWay!);
  }

  function lead(way: string, to: string): void {
    setOpen(null);
    edit("lead", { at: way, to }, way);
  }

  function step(to: "undo" | "redo"): void {
    edit("step", { to }, "", to === "undo" ? words.undone! : words.redone!);
  }

  function nextProblem(): void {
    const places = [...new Set(draft.problems.map((problem) => problem.at))];
    const next = places[(places.indexOf(at) + 1) % places.length];
    if (next) focusItem(next);
  }

  function fit(): void {
    void flow.fitView({ padding: 0.08, duration: speed, maxZoom: 1 });
  }

  function tell(isWanted: boolean): void {
    localStorage.setItem(page.tourKey, "1");
    setOffered(false);
    if (isWanted) setStop(0);
  }

  function endTour(): void {
    const back = pointed;
    setStop(-1);
    focusItem(walk.has(back) ? back : "entry");
  }

  function act(event: KeyboardEvent | globalThis.KeyboardEvent): boolean {
    const target = event.target as HTMLElement;
    const isOnItsWay = (target === document.body || target === from.current) && walk.has(kept.current);
    const item = isOnItsWay ? kept.current : target === document.body ? at : (target.dataset.item ?? "");
    const isBlock = walk.block(item) !== undefined;
    const mod = event.ctrlKey || event.metaKey;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (mod && key === "z") return (step(event.shiftKey ? "redo" : "undo"), true);
    if (mod && key === "y") return (step("redo"), true);
    if (mod && key === "c" && isBlock) return (hold(item, "copy"), true);
    if (mod && key === "x" && isBlock) return (hold(item, "move"), true);
    if (mod && key === "v" && item) return (onWay(item, put), true);
    if (mod || event.altKey) return false;
    if (key.startsWith("Arrow") && item) {
      const next = walk.next(item, key, cameFrom.current);
      cameFrom.current = item;
      focusItem(next);
      return true;
    }
    if ((key === "+" || key === "Insert") && item) return (onWay(item, plus), true);
    if ((key === "Delete" || key === "Backspace") && isBlock) return (remove(item), true);
    if (key === "l" && item) return (onWay(item, (way) => setOpen({ menu: "lead", at: way })), true);
    if (key === "n" && isBlock) return (openBlock(item, "#id_note"), true);
    if (key === "ContextMenu" && item) return (setOpen({ menu: isBlock ? "block" : "way", at: item }), true);
    if (key === "Home") return (focusItem("entry"), true);
    if (key === "f" || key === "/") return (setOpen({ menu: "find", at: "" }), true);
    if (key === "p") return (nextProblem(), true);
    if (key === "z") return (void (event.shiftKey ? flow.zoomOut({ duration: speed }) : flow.zoomIn({ duration: speed })), true);
    if (key === "0") return (fit(), true);
    if (key === "?") return (setOpen({ menu: "keys", at: "" }), true);
    if (key === "Escape" && held) return (setHeld(null), setSaid(""), true);
    if (key === "Escape" && form) return (closePanel(), true);
    return false;
  }

  function onKeyDown(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, select, dialog")) return;
    if (act(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  const desk: Desk = {
    words,
    sprite,
    at,
    isPlacing: held !== null,
    opened: form?.block ?? "",
    pointed,
    go: (item) => ((kept.current = item), setAt(item)),
    openBlock,
    openMenu: (id) => setOpen({ menu: "block", at: id }),
    plus,
    openWay: (way) => setOpen({ menu: "way", at: way }),
  };

  function blockChoices(id: string): Choice[] {
    const block = walk.block(id)!;
    const found: Choice[] = [
      { key: "open", icon: "pencil", words: words.open!, keys: "Enter" },
      { key: "insert", icon: "plus", words: words.insert!, keys: "+" },
      { key: "note", icon: "sticky-note", words: words.note!, keys: "n" },
    ];
    if (block.canCopy) {
      found.push({ key: "copy", icon: "copy", words: words.copy!, keys: "Ctrl C" });
      found.push({ key: "move", icon: "scissors", words: words.cut!, keys: "Ctrl X" });
    }
    if (block.canRemove) found.push({ key: "remove", icon: "trash-2", words: words.remove!, keys: "Delete" });
    return block.ways.length ? found : found.filter((one) => one.key !== "insert");
  }

  function choose(id: string, key: string): void {
    setOpen(null);
    if (key === "open") openBlock(id);
    if (key === "note") openBlock(id, "#id_note");
    if (key === "insert") onWay(id, plus);
    if (key === "copy" || key === "move") hold(id, key);
    if (key === "remove") remove(id);
  }

  function wayChoices(): Choice[] {
    const found: Choice[] = [
      { key: "insert", icon: "plus", words: words.insertHere!, keys: "Enter" },
      { key: "lead", icon: "corner-down-right", words: words.leadElsewhere!, keys: "l" },
    ];
    if (held) found.unshift({ key: "put", icon: "clipboard-paste", words: held.edit === "copy" ? words.paste! : words.pasteMove!, keys: "Ctrl V" });
    return found;
  }

  const numbered = draft.blocks.filter((block) => block.number);
  return (
    <DeskContext.Provider value={desk}>
      <div className={`cv${form ? " has-panel" : ""}`} ref={frame} onKeyDown={onKeyDown}>
        <Toolbar
          draft={draft} hasTour={tour.length > 0} hasMap={hasMap} isPlacing={held !== null}
          onUndo={() => step("undo")} onRedo={() => step("redo")} onFind={() => setOpen({ menu: "find", at: "" })}
          onZoom={(by) => void (by > 0 ? flow.zoomIn({ duration: speed }) : flow.zoomOut({ duration: speed }))} onFit={fit}
          onMap={() => setMap(!hasMap)} onKeys={() => setOpen({ menu: "keys", at: "" })} onTour={() => tell(true)} onProblem={focusItem}
          onCancel={() => (setHeld(null), setSaid(""))}
        />
        {isLost && <p className="banner tone-failed" role="alert">{words.lost}</p>}
        {conflict && (
          <div className="banner tone-due" role="alert">
            <div className="banner-body">
              <p className="strong">{words.changedBy!.replace("{name}", conflict.other)}</p>
              <ul className="editor-changes">{conflict.lines.map((line) => <li key={line}>{line}</li>)}</ul>
              <p>{words.nowNewest}</p>
            </div>
            <button type="button" className="btn btn-sm banner-end" onClick={() => setConflict(null)}>{words.close}</button>
          </div>
        )}
        <div className="cv-desk">
          <ReactFlow<BlockNode, WayEdge>
            nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} edgeTypes={EDGE_TYPES} aria-label={words.canvas}
            nodesDraggable={false} nodesConnectable nodesFocusable={false} edgesFocusable={false} elementsSelectable={false} edgesReconnectable
            disableKeyboardA11y deleteKeyCode={null} selectionKeyCode={null} multiSelectionKeyCode={null} panActivationKeyCode={null} zoomActivationKeyCode={null}
            minZoom={0.3} maxZoom={1.5} panOnScroll preventScrolling={false} zoomOnDoubleClick={false} connectionRadius={90} reconnectRadius={12}
            onReconnect={(edge: WayEdge, made: Connection) => made.target !== edge.target && lead(edge.id, made.target)}
            onInit={() => begin()}
          >
            {hasMap && <MiniMap pannable zoomable ariaLabel={words.map} nodeClassName={(node) => `cv-dot is-${(node as BlockNode).data.block.family}`} />}
          </ReactFlow>
          {isOffered && stop < 0 && (
            <div className="cv-offer">
              <span>{words.tourOffer}</span>
              <button type="button" className="btn btn-sm btn-primary" onClick={() => tell(true)}>{words.tourStart}</button>
              <button type="button" className="btn btn-sm btn-ghost" onClick={() => tell(false)}>{words.tourLater}</button>
            </div>
          )}
          {stop >= 0 && <TourCard stops={tour} index={stop} onGo={setStop} onEnd={endTour} />}
          <p className="cv-said" role="status">{said}</p>
        </div>
        {form && <Panel key={`${form.url} ${form.turn}`} ref={panel} url={form.url} focusOn={form.focusOn} onAnswer={(answer) => heard(answer, words.saved!, true)} onClose={() => closePanel()} />}
        {open?.menu === "insert" && <KindMenu families={kinds} onChoose={(kind) => insert(kind, open.at)} onClose={() => setOpen(null)} />}
        {open?.menu === "lead" && <StepMenu title={words.leadElsewhere!} blocks={numbered} ownEnd onChoose={(to) => lead(open.at, to)} onClose={() => setOpen(null)} />}
        {open?.menu === "find" && <StepMenu title={words.find!} blocks={draft.blocks} ownEnd={false} onChoose={(id) => (setOpen(null), requestAnimationFrame(() => focusItem(id)))} onClose={() => setOpen(null)} />}
        {open?.menu === "whichWay" && <WayMenu ways={walk.block(open.at)?.ways ?? []} onChoose={(way) => (setOpen(null), open.then(way))} onClose={() => setOpen(null)} />}
        {open?.menu === "block" && walk.block(open.at) && <ActionMenu title={walk.block(open.at)!.title} choices={blockChoices(open.at)} onChoose={(key) => choose(open.at, key)} onClose={() => setOpen(null)} />}
        {open?.menu === "way" && walk.way(open.at) && <ActionMenu title={walk.way(open.at)!.name} choices={wayChoices()} onChoose={(key) => (key === "lead" ? setOpen({ menu: "lead", at: open.at }) : (setOpen(null), plus(open.at)))} onClose={() => setOpen(null)} />}
        {open?.menu === "keys" && <KeysHelp onClose={() => setOpen(null)} />}
        {open?.menu === "dirty" && (
          <DirtyDialog
            onStay={() => setOpen(null)}
            onSave={() => (setOpen(null), panel.current?.save())}
            onDrop={() => (setOpen(null), setForm(null), open.then())}
          />
        )}
      </div>
    </DeskContext.Provider>
  );

  /** Begin at the entry, as large as can be read, or with all of it where there is room. */
  function begin(): void {
    const box = frame.current?.querySelector(".react-flow")?.getBoundingClientRect();
    const entry = middleOf("entry");
    if (!box || !entry) return;
    const places = [...drawn.places.values()];
    const right = Math.max(...places.map((place) => place.x + place.width));
    const bottom = Math.max(...places.map((place) => place.y + place.height));
    const whole = Math.min(box.width / (right + 24), box.height / (bottom + 24), 1);
    if (whole >= 0.75) fit();
    else {
      const zoom = Math.min(1, Math.max(0.75, box.width / (right + 24)));
      void flow.setViewport({ x: box.width / 2 - entry.x * zoom, y: 16, zoom });
    }
  }
}
