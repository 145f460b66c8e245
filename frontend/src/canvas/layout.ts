import { Graph, layout } from "@dagrejs/dagre";

import type { Block } from "./types";

export const WIDTH = 264;
const END_WIDTH = 176;
const LABEL = { width: 48, height: 30, labelpos: "c" as const };
const CORNER = 10;

export interface Point {
  x: number;
  y: number;
}

export interface Place extends Point {
  width: number;
  height: number;
}

export interface Route {
  path: string;
  plus: Point;
  label: Point;
  /** Words of ways beside each other grow away from one another. */
  side: "left" | "middle" | "right";
}

export interface Layout {
  places: Map<string, Place>;
  routes: Map<string, Route>;
  rows: string[][];
}

export function sizeOf(block: Block, hasCounts: boolean): { width: number; height: number } {
  if (block.family === "end" && !block.detail && !block.note && !block.problems.length) {
    return { width: END_WIDTH, height: hasCounts ? 66 : 40 };
  }
  const more = (block.note ? 28 : 0) + (block.problems.length ? 30 : 0) + (hasCounts ? 28 : 0);
  return { width: WIDTH, height: 64 + more };
}

/** Lay the blocks out from top to bottom. What is left at a fork is what its first way leads to, and stays so. */
export function layOut(blocks: Block[], counted: (id: string) => boolean): Layout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", rankalign: "top", nodesep: 36, edgesep: 24, ranksep: 56, marginx: 24, marginy: 24 });
  const sizes = new Map(blocks.map((block) => [block.id, sizeOf(block, counted(block.id))]));
  const drawn = blocks.filter((block) => block.family !== "goals");
  drawn.forEach((block) => graph.setNode(block.id, { ...sizes.get(block.id)! }));
  drawn.forEach((block) => block.ways.forEach((way) => graph.setEdge(block.id, way.to, { ...LABEL }, way.at)));
  layout(graph, { disableOptimalOrderHeuristic: true });

  const places = new Map<string, Place>();
  for (const block of drawn) {
    const { x, y } = graph.node(block.id) as Point;
    const size = sizes.get(block.id)!;
    places.set(block.id, { ...size, x: x - size.width / 2, y: y - size.height / 2 });
  }
  besideEntry(blocks, places, sizes);
  const routes = new Map<string, Route>();
  for (const block of drawn) {
    block.ways.forEach((way, index) => {
      const label = graph.edge(block.id, way.to, way.at) as Point & { points: Point[] };
      const start = leaving(places.get(block.id)!, index, block.ways.length);
      routes.set(way.at, { ...routeOf(start, places.get(way.to)!, label), side: sideOf(index, block.ways.length) });
    });
  }
  return { places, routes, rows: rowsOf(places) };
}

function besideEntry(blocks: Block[], places: Map<string, Place>, sizes: Map<string, { width: number; height: number }>): void {
  const entry = places.get("entry");
  const goals = blocks.find((block) => block.family === "goals");
  if (!entry || !goals) return;
  places.set(goals.id, { ...sizes.get(goals.id)!, x: entry.x + entry.width + 36, y: entry.y });
}

export function shareOf(index: number, count: number): number {
  return (index + 1) / (count + 1);
}

function sideOf(index: number, count: number): Route["side"] {
  if (count < 2) return "middle";
  return index === 0 ? "left" : index === count - 1 ? "right" : "middle";
}

function leaving(place: Place, index: number, count: number): Point {
  return { x: place.x + place.width * shareOf(index, count), y: place.y + place.height };
}

function routeOf(start: Point, target: Place, label: Point & { points: Point[] }): Omit<Route, "side"> {
  const end = { x: target.x + target.width / 2, y: target.y };
  const isBack = end.y <= start.y;
  const through = isBack ? [] : label.points.slice(1, -1).filter((point) => point.y > start.y + 8 && point.y < end.y - 8);
  const corners = isBack
    ? [start, { x: start.x, y: start.y + 18 }, { x: label.x, y: start.y + 18 }, { x: label.x, y: end.y - 22 }, { x: end.x, y: end.y - 22 }, end]
    : stairs([start, ...through, end]);
  const plus = isBack ? { x: label.x, y: (start.y + end.y) / 2 } : { x: label.x, y: label.y };
  return { path: rounded(corners), plus, label: { x: start.x, y: start.y + 14 } };
}

/** Turn slanting lines into vertical and horizontal ones. */
function stairs(points: Point[]): Point[] {
  const found: Point[] = [points[0]!];
  points.slice(1).forEach((point, index) => {
    const last = found[found.length - 1]!;
    if (Math.abs(point.x - last.x) > 1) {
      const isFirst = index === 0;
      const middle = isFirst ? Math.min(last.y + 24, (last.y + point.y) / 2) : (last.y + point.y) / 2;
      found.push({ x: last.x, y: middle }, { x: point.x, y: middle });
    }
    found.push(point);
  });
  return found;
}

function rounded(points: Point[]): string {
  const first = points[0]!;
  let path = `M${first.x} ${first.y}`;
  for (let index = 1; index < points.length - 1; index += 1) {
    const [before, corner, after] = [points[index - 1]!, points[index]!, points[index + 1]!];
    const radius = Math.min(CORNER, distance(before, corner) / 2, distance(corner, after) / 2);
    const from = towards(corner, before, radius);
    const to = towards(corner, after, radius);
    path += `L${from.x} ${from.y}Q${corner.x} ${corner.y} ${to.x} ${to.y}`;
  }
  const last = points[points.length - 1]!;
  return `${path}L${last.x} ${last.y}`;
}

function distance(one: Point, two: Point): number {
  return Math.hypot(one.x - two.x, one.y - two.y);
}

function towards(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * length) / whole, y: from.y + ((to.y - from.y) * length) / whole };
}

/** The blocks side by side, for walking left and right. */
function rowsOf(places: Map<string, Place>): string[][] {
  const rows = new Map<number, string[]>();
  for (const [id, place] of places) {
    const middle = Math.round(place.y / 20);
    rows.set(middle, [...(rows.get(middle) ?? []), id]);
  }
  return [...rows.values()].map((row) => row.sort((one, two) => places.get(one)!.x - places.get(two)!.x));
}
