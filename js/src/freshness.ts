import { clock, duration, ordinal } from "./format";
import type { Summary } from "./protocol";

export interface Moment {
  /** The reader's clock, milliseconds. */
  now: number;
  /** When the summary came, and how old it was then, milliseconds. */
  heard: { at: number; lag: number };
  lost: boolean;
}

/** Seconds between two questions from which on the next one is announced. */
const SLOW = 8;

/** Milliseconds that a summary may be old when it is found, until its time is told instead of its age. */
const OLD = 15_000;

/** How old what is shown is, in words. */
export function freshness(summary: Summary, { now, heard, lost }: Moment): string {
  if (summary.closed) return "stopped";
  const { asked, beat, failures, final } = summary;
  const asOf = `as of ${clock(beat, now)}`;
  if (lost) return final ? `finished, ${asOf}` : `${asOf}, no contact with the kernel`;
  if (heard.lag > OLD) return asOf;
  if (final) return "finished";
  const age = Math.max(0, now - heard.at) + heard.lag + Math.max(0, beat - (asked ?? beat));
  const updated =
    asked === null ? "no answer yet" : age < 1000 ? "updated just now" : `updated ${duration(age)} ago`;
  if (summary.paused) return `paused, ${updated}`;
  if (failures) return `retrying, ${ordinal(failures)} time, ${updated}`;
  const interval = summary.interval ?? 0;
  const next = interval * 1000 - age;
  return interval >= SLOW && next >= 1000 ? `${updated}, next in ${duration(next)}` : updated;
}
