/** Where the cells of the strip lie. Pure; all lengths in CSS pixels. */

export interface Layout {
  columns: number;
  /** Size of a cell, and the distance from one to the next. */
  width: number;
  height: number;
  across: number;
  down: number;
  /** Height of the whole strip. */
  total: number;
}

/** Cells from large to small: width, height, gap. */
const SIZES = [
  [12, 14, 3],
  [9, 12, 2],
  [7, 9, 2],
  [5, 7, 1],
  [3, 5, 1],
  [2, 3, 1],
] as const;

/** The strip may be this high before its cells are made smaller. */
const COMFORTABLE = [14, 96, 110, 120, 140];

/** The largest cells with which `size` of them fit the width without the strip growing tall. */
export function layout(size: number, width: number): Layout {
  const all = SIZES.map(([cell, height, gap]) => {
    const across = cell + gap;
    const down = height + gap;
    const columns = Math.max(1, Math.floor((width + gap) / across));
    const rows = Math.ceil(size / columns);
    return { columns, width: cell, height, across, down, total: Math.max(0, rows * down - gap) };
  });
  const found = all.find(({ total }, index) => total <= (COMFORTABLE[index] ?? total));
  return found as Layout;
}

/** Top left corner of a cell. */
export function corner(part: number, { columns, across, down }: Layout): { x: number; y: number } {
  return { x: (part % columns) * across, y: Math.floor(part / columns) * down };
}

/** The part whose cell, gap included, is at a point; -1 where there is none. */
export function partAt(x: number, y: number, size: number, { columns, across, down }: Layout): number {
  const column = Math.floor(x / across);
  const part = Math.floor(y / down) * columns + column;
  return x < 0 || y < 0 || column >= columns || part >= size ? -1 : part;
}
