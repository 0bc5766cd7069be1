/** A prefix tree of pieces over UTF-16 units, in typed arrays. */

const EMPTY = -1;
/** Multipliers that spread keys over the table: 2^32 divided by the golden ratio, and a prime. */
const [SPREAD, PRIME] = [0x9e3779b1, 0x85ebca6b];

/** The tree: node 0 is the root; edges are in one open-addressing hash table. */
export class PieceTrie {
  #capacity = 1 << 16;
  #parents = new Int32Array(this.#capacity);
  #units = new Uint16Array(this.#capacity);
  /** Child of each edge; `EMPTY` for a free slot. */
  #children = new Int32Array(this.#capacity).fill(EMPTY);
  /** Piece that ends at each node; `EMPTY` if none does. */
  #pieces = new Int32Array(1 << 15).fill(EMPTY);
  #nodes = 1;
  #maxUnits = 0;

  /** Length of the longest piece, in UTF-16 units. */
  get maxUnits(): number {
    return this.#maxUnits;
  }

  /** Adds a piece; the last id of equal pieces counts. */
  add(piece: string, id: number): void {
    let node = 0;
    for (let i = 0; i < piece.length; i++) {
      const unit = piece.charCodeAt(i);
      let child = this.child(node, unit);
      if (child < 0) {
        child = this.#nodes;
        this.#addNode();
        this.#insert(node, unit, child);
      }
      node = child;
    }
    if (node === 0) return;
    this.#pieces[node] = id;
    this.#maxUnits = Math.max(this.#maxUnits, piece.length);
  }

  /** Returns the child of a node; negative if it has none for this unit. */
  child(node: number, unit: number): number {
    const mask = this.#capacity - 1;
    for (let slot = slotOf(node, unit) & mask; ; slot = (slot + 1) & mask) {
      const child = this.#children[slot]!;
      if (child === EMPTY || (this.#parents[slot] === node && this.#units[slot] === unit)) return child;
    }
  }

  /** Returns the id of the piece that ends at a node; negative if none does. */
  pieceAt(node: number): number {
    return this.#pieces[node]!;
  }

  #addNode(): void {
    if (this.#nodes === this.#pieces.length) {
      const larger = new Int32Array(this.#nodes * 2).fill(EMPTY);
      larger.set(this.#pieces);
      this.#pieces = larger;
    }
    this.#nodes += 1;
    if (this.#nodes * 2 > this.#capacity) this.#grow();
  }

  #grow(): void {
    const [parents, units, children] = [this.#parents, this.#units, this.#children];
    this.#capacity *= 2;
    this.#parents = new Int32Array(this.#capacity);
    this.#units = new Uint16Array(this.#capacity);
    this.#children = new Int32Array(this.#capacity).fill(EMPTY);
    for (let slot = 0; slot < children.length; slot++) {
      if (children[slot] !== EMPTY) this.#insert(parents[slot]!, units[slot]!, children[slot]!);
    }
  }

  #insert(node: number, unit: number, child: number): void {
    const mask = this.#capacity - 1;
    let slot = slotOf(node, unit) & mask;
    while (this.#children[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#parents[slot] = node;
    this.#units[slot] = unit;
    this.#children[slot] = child;
  }
}

function slotOf(node: number, unit: number): number {
  const mixed = Math.imul(node, SPREAD) ^ Math.imul(unit + 1, PRIME);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
