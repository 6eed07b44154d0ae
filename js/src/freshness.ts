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

/** How old what is shown is, in words. */
export function freshness(summary: Summary, { now, heard, lost }: Moment): string {
  if (summary.closed) return "stopped";
  if (lost) return `no contact with the kernel since ${clock(heard.at - heard.lag, now)}`;
  if (summary.final) return "finished";
  const { asked, beat, failures } = summary;
  const age = Math.max(0, now - heard.at) + heard.lag + Math.max(0, beat - (asked ?? beat));
  const updated =
    asked === null ? "no answer yet" : age < 1000 ? "updated just now" : `updated ${duration(age)} ago`;
  if (summary.paused) return `paused, ${updated}`;
  if (failures) return `retrying, ${ordinal(failures)} time, ${updated}`;
  const interval = summary.interval ?? 0;
  const next = interval * 1000 - age;
  return interval >= SLOW && next >= 1000 ? `${updated}, next in ${duration(next)}` : updated;
}
