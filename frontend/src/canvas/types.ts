/** What the server says about a draft: words are ready, addresses too. */
export interface Way {
  at: string;
  port: string;
  label: string;
  to: string;
  name: string;
}

export interface Block {
  id: string;
  family: "start" | "goals" | "do" | "wait" | "ask" | "end";
  icon: string;
  title: string;
  detail: string;
  number: number;
  note: string;
  problems: string[];
  url: string;
  ways: Way[];
  canRemove: boolean;
  canCopy: boolean;
  name: string;
}

export interface Draft {
  lock: string;
  canUndo: boolean;
  canRedo: boolean;
  isStored: boolean;
  lead: string;
  name: string;
  blocks: Block[];
  problems: { at: string; text: string }[];
  problemsTitle: string;
}

export interface Kind {
  kind: string;
  name: string;
  help: string;
  icon: string;
  url: string;
}

export interface Family {
  family: string;
  name: string;
  kinds: Kind[];
}

export interface Stop {
  at: string;
  place: string;
  title: string;
  text: string;
}

export type Edit = "remove" | "copy" | "move" | "lead" | "step";

export interface Everything {
  state: Draft;
  kinds: Family[];
  urls: Record<Edit, string>;
  words: Record<string, string>;
  sprite: string;
  tour: Stop[];
}

/** A number at a block that leads to the rows that it counts. */
export interface Count {
  text: string;
  name: string;
  url: string;
}

export type Counts = Record<string, { here?: Count; passed?: Count }>;

/** What the canvas is told after an edit: the draft as it is now, or why it was not done. */
export type Answer =
  | { kind: "kept"; state: Draft; mark: string; said: string[] }
  | { kind: "conflict"; state: Draft; other: string; lines: string[] }
  | { kind: "refused"; why: string }
  | { kind: "form"; html: string; isConflict: boolean; isRefused: boolean }
  | { kind: "lost" };
