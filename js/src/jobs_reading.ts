import { JOB, type Spot } from "./details";
import type { JobsMeta } from "./jobs_protocol";
import { filtered, known, RANKS, type Rank, type Sort, searchable, sorted } from "./order";
import type { Parts } from "./parts";
import type { Meta } from "./protocol";
import { Reading } from "./reading";
import { computed, type ReadonlySignal, signal } from "./signals";

/** As long as nothing else is asked for, new jobs come on top. */
const NEWEST: Sort = { key: "created", down: true };
/** Tenths of a second from the oldest job on: what has not been created yet is newer than all. */
const YET = 2 ** 32;

const ranks = (progress: (row: number) => number): Record<string, Rank> => ({
  ...RANKS,
  name: ({ meta }, row) => known(meta, "name", () => names(meta as JobsMeta))[row] ?? null,
  backend: ({ meta }, row) => known(meta, "backend", () => (meta as JobsMeta).backends)[row] ?? null,
  tags: ({ meta }, row) => known(meta, "tags", () => (meta as JobsMeta).tagged.map(String))[row] ?? null,
  progress: (_, row) => progress(row),
  created: (parts, row) => {
    const created = parts.time(row, "created");
    return created === null ? YET : (created - parts.meta.created) / 100;
  },
});

/** What each job is called: its name, else its id. */
export const names = ({ ids, labels }: Meta): string[] => ids.map((id, row) => labels?.[row] || id);

const written = new WeakMap<Meta, string[]>();

/** What a job can be found by, apart from its word and reason. */
function told(meta: Meta): string[] {
  const { backends, tagged } = meta as JobsMeta;
  const found =
    written.get(meta) ??
    searchable(meta).map((text, row) => `${text} ${backends[row]} ${tagged[row]?.join(" ")}`.toLowerCase());
  written.set(meta, found);
  return found;
}

/** Where a reader of many jobs is: rows are jobs, and a line of an open one can be one of its sub-jobs. */
export class JobsReading extends Reading {
  override readonly sort = signal<Sort>(NEWEST);
  /** The tag that the table is limited to; empty = all. */
  readonly tag = signal("");
  /** The line that the keyboard is on; a new object each time it is pointed at. */
  readonly spot = signal<Spot>({ job: -1, sub: JOB });

  override readonly isFiltered = computed(
    () =>
      Boolean(this.text.value.trim() || this.group.value || this.tag.value) || this.statuses.value.size > 0,
  );
  override readonly order: ReadonlySignal<Uint32Array>;

  constructor(
    parts: ReadonlySignal<Parts>,
    now: ReadonlySignal<number>,
    /** How much of a job is done, 0 to 1. */
    progress: (row: number) => number,
  ) {
    super(parts, now);
    const ranked = ranks((row) => Math.round(1000 * progress(row)));
    const found = computed(() => {
      const [text, statuses, among] = [this.text.value, this.statuses.value, this.#among(parts.value.meta)];
      return filtered(parts.value, { text, statuses, among }, told);
    });
    this.order = computed(() => sorted(parts.value, found.value, this.sort.value, now.peek(), ranked));
  }

  /** Rows of the wanted group of failures and tag; null = all. */
  #among(meta: Meta): ReadonlySet<number> | null {
    const tag = this.tag.value;
    const group = this.group.value?.parts;
    if (!tag) return group ? new Set(group) : null;
    const { tagged, ids } = meta as JobsMeta;
    return new Set((group ?? [...ids.keys()]).filter((row) => tagged[row]?.includes(tag)));
  }

  go(spot: Spot): void {
    this.spot.value = spot;
    super.point(spot.job);
  }

  override point(job: number): void {
    this.go({ job, sub: JOB });
  }

  override showAll(): void {
    super.showAll();
    this.tag.value = "";
  }

  /** As for sub-jobs, but newest first is where it begins and comes back to. */
  override sortBy(key: string): void {
    const { key: before, down } = this.sort.peek();
    if (key === NEWEST.key) this.sort.value = { key, down: before !== key || !down };
    else super.sortBy(key);
    if (this.sort.peek().key === "index") this.sort.value = NEWEST;
  }
}
