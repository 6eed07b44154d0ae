/** Which rows of a long table are drawn. Pure. */

/** Pixels; the style sheet holds the same. */
export const ROW = 28;
export const HEIGHT = 320;
/** Rows drawn beyond each edge, so that a fast scroll does not show the ground. */
const OVERSCAN = 8;

/** First drawn row, and the one after the last. */
export function drawn(scrollTop: number, size: number): { first: number; end: number } {
  const top = Math.max(0, Math.floor(scrollTop / ROW));
  const end = Math.min(size, top + Math.ceil(HEIGHT / ROW) + OVERSCAN);
  return { first: Math.max(0, Math.min(top - OVERSCAN, end - 1)), end };
}

/** Where to scroll so that a row is seen below the head of the table; where it was, if it is. */
export function reveal(row: number, scrollTop: number, height: number): number {
  const top = row * ROW;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + 2 * ROW - height);
}

/** The row that a key leads to; null for a key that means nothing here. */
export function step(key: string, row: number, size: number): number | null {
  const page = Math.floor(HEIGHT / ROW) - 2;
  const moves: Record<string, number> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: size - 1,
  };
  const target = moves[key];
  return target === undefined || size === 0 ? null : Math.max(0, Math.min(size - 1, target));
}
