import type { Details, JobsMeta } from "../src/jobs_protocol";
import { STATUSES, type Status } from "../src/protocol";
import { LETTERS, type Traits, traits } from "./fake_model";

/** A job of a fake table: the states of its sub-jobs as letters, one for a job without any. */
export interface FakeJob {
  letters: string;
  name?: string;
  backend?: string;
  tags?: string[];
  /** Seconds after the first job. */
  after?: number;
  plain?: boolean;
}

export interface JobsTraits extends Traits {
  meta: JobsMeta;
  counts: DataView;
  details: Details;
}

/** The state of a whole: the first of all in the order of the states, as Python says it. */
const whole = (letters: string): string => [..."UIVQRECD"].find((letter) => letters.includes(letter)) ?? "U";

/** Traits of a table as Python would write them. */
export function jobsTraits(jobs: FakeJob[], change: (all: JobsTraits) => void = () => {}): JobsTraits {
  const all = traits(jobs.map(({ letters }) => whole(letters)).join(""));
  const counts = new DataView(new ArrayBuffer(28 * jobs.length));
  jobs.forEach(({ letters, after = 0 }, row) => {
    for (const letter of letters) {
      const at = 28 * row + 4 * STATUSES.indexOf(LETTERS[letter] as Status);
      counts.setUint32(at, counts.getUint32(at, true) + 1, true);
    }
    all.times.setUint32(20 * row, 10 * after + 1, true);
    if (all.times.getUint32(20 * row + 8, true)) all.times.setUint32(20 * row + 8, 10 * after + 43, true);
  });
  const meta: JobsMeta = {
    ...all.meta,
    id: "table-0123456789ab",
    kind: "table",
    name: `${jobs.length} jobs`,
    backend: "",
    start: [],
    end: [],
    ids: jobs.map((_, row) => `job-${row}`),
    labels: jobs.map(({ name }) => name ?? ""),
    tags: [],
    can: { ...all.meta.can, circuits: false },
    composites: jobs.map(({ plain }) => !plain),
    totals: jobs.map(({ letters }) => letters.length),
    backends: jobs.map(({ backend = "local_manila" }) => backend),
    tagged: jobs.map(({ tags = [] }) => tags),
    cans: jobs.map(() => ["cancel", "rerun", "tags"]),
    query: false,
  };
  const made = { ...all, meta, counts, details: {} };
  Object.assign(made.summary, { circuits: 0, done_circuits: 0, why: "" });
  change(made);
  return made;
}

/** What Python tells of a row that is open. */
export function detailOf(letters: string): Details[string] {
  const { meta, live, times, reasons } = traits(letters);
  return { meta: { ...meta, ids: meta.ids.map((id) => id && `sub-${id}`) }, live, times, reasons };
}
