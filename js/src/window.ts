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

/** Rows that PageUp and PageDown jump. */
const PAGE = 9;

/** Where a key leads to in rows of `across` each; null for a key that means nothing here. */
export function step(key: string, at: number, size: number, across = 1): number | null {
  const steps: Record<string, number> = {
    ArrowDown: across,
    ArrowUp: -across,
    PageDown: PAGE * across,
    PageUp: -PAGE * across,
    Home: -at,
    End: size - 1 - at,
    ...(across > 1 && { ArrowRight: 1, ArrowLeft: -1 }),
  };
  const found = steps[key];
  return found === undefined || size === 0 ? null : Math.max(0, Math.min(size - 1, at + found));
}
