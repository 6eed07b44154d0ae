/** When each part waited and ran, as bars on a common axis. Times are milliseconds since 1970. */
import { clock } from "./format";
import type { Parts } from "./parts";
import { isFinal } from "./protocol";
import { type Inks, lookOf } from "./strip_paint";
import { ROW } from "./window";

export interface Span {
  from: number;
  to: number;
}

/** A bar is this high, in the middle of its row. */
const BAR = 10;
/** Pixels that the column's name and the words of a moment to the left of it take. */
const NAME = 110;
/** No closer look than this. */
const SHORTEST = 1000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * HOUR),
];

/** From the first creation to the last end, or to now while something is open. */
export function whole(parts: Parts, now: number): Span {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (let part = 0; part < parts.size; part++) {
    const created = parts.time(part, "created");
    if (created === null) continue;
    from = Math.min(from, created);
    to = Math.max(to, parts.isOpen(part) ? now : (parts.time(part, "finished") ?? created));
  }
  return to ? { from, to: Math.max(to, from + SHORTEST) } : { from: now - SHORTEST, to: now };
}

/** `span` made `factor` times as long around a place of it (0 = left end, 1 = right); null = all of it. */
export function zoomed(span: Span, all: Span, factor: number, place = 0.5): Span | null {
  const length = Math.max(SHORTEST, (span.to - span.from) * factor);
  return within(span.from + (span.to - span.from - length) * place, length, all);
}

/** `span` moved by a share of its length. */
export const moved = (span: Span, all: Span, share: number): Span | null =>
  within(span.from + (span.to - span.from) * share, span.to - span.from, all);

function within(wanted: number, length: number, all: Span): Span | null {
  if (length >= all.to - all.from) return null;
  const from = Math.max(all.from, Math.min(all.to - length, wanted));
  return { from, to: from + length };
}

/** Round moments on the axis, at most one every 70 pixels, and how they are written. */
export function ticks({ from, to }: Span, width: number): { at: number; text: string }[] {
  const most = Math.max(1, width / 70);
  const step = STEPS.find((size) => (to - from) / size <= most) ?? Math.ceil((to - from) / most);
  // Whole hours of the reader, whose time zone is not whole hours away everywhere.
  const offset = new Date(from).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const text = (at: number) =>
    step < 24 * HOUR ? clock(at, at).slice(0, step % MINUTE ? 8 : 5) : clock(at, 0).slice(5, 10);
  const found = [];
  // A moment further right would have its words cut off, or lie below the column's name.
  const last = to - ((to - from) * NAME) / Math.max(width, NAME);
  for (let at = first; at <= last; at += step) found.push({ at: (at - from) / (to - from), text: text(at) });
  return found;
}

/** Draws the bars of some parts below each other, one a row. */
export function paintBars(
  canvas: HTMLCanvasElement,
  parts: Parts,
  rows: ArrayLike<number>,
  { from, to }: Span,
  width: number,
  now: number,
  inks: Inks,
): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(rows.length * ROW * ratio);
  pen.scale(ratio, ratio);
  const across = (moment: number) => ((moment - from) / (to - from)) * width;
  for (let row = 0; row < rows.length; row++) {
    const part = rows[row] ?? 0;
    const top = row * ROW + (ROW - BAR) / 2;
    const bar = (start: number | null, end: number | null, ink: string, inset = 0) => {
      if (start === null || end === null) return;
      const left = Math.max(-1, across(start));
      const right = Math.min(width + 1, Math.max(across(end), left + 2));
      if (across(end) < 0 || left > width) return;
      pen.fillStyle = ink;
      pen.fillRect(left, top + inset, right - left, BAR - 2 * inset);
    };
    const status = parts.status(part);
    const running = parts.time(part, "running");
    const end = isFinal(status) ? parts.time(part, "finished") : now;
    pen.fillStyle = inks.track;
    pen.fillRect(0, top, width, BAR);
    // What waits is thin and what runs is high, so that they differ without colours.
    bar(parts.time(part, "created"), running ?? end, inks.queued, 3);
    bar(running, end, inks[isFinal(status) ? lookOf(parts, part) : "running"]);
  }
}
