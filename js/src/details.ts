/** The lines of a table whose rows open: jobs, and below an open one its sub-jobs. Pure. */

import type { Details } from "./jobs_protocol";
import { asView, Parts } from "./parts";

/** Sub-jobs of one row that are shown. */
export const MOST = 200;

/** What stands on a line beside a sub-job's index: the job itself, or what is said of the sub-jobs not shown. */
export const JOB = -1;
export const REST = -2;

/** Where a line is: of which job, and what of it. */
export interface Spot {
  job: number;
  sub: number;
}

/** All lines in order, as two columns. */
export interface Lines {
  readonly jobs: Int32Array;
  readonly subs: Int32Array;
}

/** The sub-jobs of an open row. */
export interface Detail {
  parts: Parts;
  /** Those that are shown, failed ones before others, in index order. */
  shown: number[];
  /** How many are not. */
  more: number;
}

export function detail({ meta, live, times, reasons }: Details[string]): Detail {
  const parts = new Parts(meta, asView(live), asView(times), reasons);
  const all = Array.from({ length: parts.size }, (_, part) => part);
  // What failed among the first is named twice; a set keeps the first of equals.
  const chosen = [...new Set([...parts.inState("ERROR").slice(0, MOST), ...all.slice(0, MOST)])].slice(
    0,
    MOST,
  );
  const shown = chosen.sort((one, other) => one - other);
  return { parts, shown, more: (meta?.total ?? 0) - shown.length };
}

/** The lines of the jobs in `order`; the sub-jobs of an open one are null while they are on their way. */
export function lines(order: Uint32Array, open: ReadonlyMap<number, Detail | null>): Lines {
  const below = (job: number): number[] => {
    const found = open.get(job);
    return found ? [...found.shown, ...(found.more ? [REST] : [])] : found === null ? [REST] : [];
  };
  if (open.size === 0) return { jobs: Int32Array.from(order), subs: new Int32Array(order.length).fill(JOB) };
  const jobs: number[] = [];
  const subs: number[] = [];
  for (const job of order) {
    for (const sub of [JOB, ...below(job)]) {
      jobs.push(job);
      subs.push(sub);
    }
  }
  return { jobs: Int32Array.from(jobs), subs: Int32Array.from(subs) };
}

/** The number of a line; that of its job where the line has gone, -1 where the job is not shown. */
export function placeOf({ jobs, subs }: Lines, { job, sub }: Spot): number {
  const first = jobs.indexOf(job);
  for (let at = first; at >= 0 && jobs[at] === job; at++) if (subs[at] === sub) return at;
  return first;
}
