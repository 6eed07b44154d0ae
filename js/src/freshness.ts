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
  if (summary.failures > 0) {
    return summary.failures === 1 ? "retrying" : `retrying, ${ordinal(summary.failures)} time`;
  }
  if (summary.asked === null) return "waiting for the first answer";
  const age = Math.max(0, now - heard.at) + heard.lag + Math.max(0, summary.beat - summary.asked);
  const updated = age < 1000 ? "updated just now" : `updated ${duration(age)} ago`;
  const next = (summary.interval ?? 0) * 1000 - age;
  return (summary.interval ?? 0) >= SLOW && next >= 1000 ? `${updated}, next in ${duration(next)}` : updated;
}
