import type { Layout } from "./layout";
import type { Block, Way } from "./types";

/** Where the arrow keys lead: from a block to its ways, from a way to the block behind it, sideways to neighbours. */
export class Walk {
  private readonly blocks: Map<string, Block>;
  private readonly ways: Map<string, { way: Way; source: Block }>;

  constructor(
    blocks: Block[],
    private readonly layout: Layout,
  ) {
    this.blocks = new Map(blocks.map((block) => [block.id, block]));
    this.ways = new Map(blocks.flatMap((block) => block.ways.map((way) => [way.at, { way, source: block }] as const)));
  }

  has(item: string): boolean {
    return this.blocks.has(item) || this.ways.has(item);
  }

  block(item: string): Block | undefined {
    return this.blocks.get(item);
  }

  way(item: string): Way | undefined {
    return this.ways.get(item)?.way;
  }

  /** Return the block that an item is, or that its way comes from. */
  source(item: string): Block | undefined {
    return this.blocks.get(item) ?? this.ways.get(item)?.source;
  }

  next(item: string, key: string, cameFrom: string): string {
    const found = this.ways.get(item);
    if (found) return this.fromWay(found.way, found.source, key) ?? item;
    const block = this.blocks.get(item);
    return block ? (this.fromBlock(block, key, cameFrom) ?? item) : "entry";
  }

  private fromWay(way: Way, source: Block, key: string): string | undefined {
    if (key === "ArrowDown") return way.to;
    if (key === "ArrowUp") return source.id;
    const place = source.ways.indexOf(way) + (key === "ArrowRight" ? 1 : -1);
    return source.ways[place]?.at;
  }

  private fromBlock(block: Block, key: string, cameFrom: string): string | undefined {
    if (key === "ArrowDown") return block.ways[0]?.at;
    if (key === "ArrowUp") {
      const incoming = [...this.ways.values()].filter(({ way }) => way.to === block.id).map(({ way }) => way.at);
      return incoming.includes(cameFrom) ? cameFrom : incoming[0];
    }
    const row = block.id === "goals" || block.id === "entry" ? ["entry", "goals"] : (this.layout.rows.find((one) => one.includes(block.id)) ?? []);
    return row[row.indexOf(block.id) + (key === "ArrowRight" ? 1 : -1)];
  }
}
