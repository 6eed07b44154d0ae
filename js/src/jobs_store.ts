import { type Detail, detail, lines } from "./details";
import { number } from "./format";
import type { Details, JobsMeta, JobsSummary } from "./jobs_protocol";
import { JobsReading, names } from "./jobs_reading";
import { asView } from "./parts";
import { type Counts, type Model, STATUSES } from "./protocol";
import { computed, effect, type Signal, signal } from "./signals";
import { Store } from "./store";

/** Milliseconds that a selection stands before Python is told. */
const SETTLED = 250;
/** Milliseconds for which a job that has come is marked. */
const NEW = 30_000;
/** Names in a question. */
const NAMED = 3;

/** What the views of one table share, beside all that those of a panel do. */
export class JobsStore extends Store {
  declare readonly meta: Signal<JobsMeta>;
  declare readonly summary: Signal<JobsSummary>;
  override readonly noun = "job";
  override readonly reading = new JobsReading(this.parts, this.kernelNow, (row) => this.progress(row));
  readonly #counts;
  readonly #details;
  /** Rows that were opened or closed here and are not yet in `details`. */
  readonly #wanted = signal<ReadonlyMap<number, boolean>>(new Map());
  /** Tags as they will be, until Python tells others than there were before. */
  readonly #edit = signal<{ row: number; tags: string[]; before: string } | null>(null);

  /** The sub-jobs of the rows that are open; null while they are on their way. */
  readonly opened = computed<ReadonlyMap<number, Detail | null>>(() => {
    const found = new Map<number, Detail | null>();
    for (const [row, told] of Object.entries(this.#details.value)) found.set(Number(row), detail(told));
    for (const [row, on] of this.#wanted.value) {
      if (!on) found.delete(row);
      else if (!found.has(row)) found.set(row, null);
    }
    return found;
  });

  /** So many rows have been there for a while; those behind them are new. */
  readonly old = signal(0);

  readonly lines = computed(() => lines(this.reading.order.value, this.opened.value));

  /** The only job that is selected; -1 if it is none or several. */
  readonly only = computed(() => {
    const { size } = this.reading.selected.value;
    return size === 1 ? (this.reading.chosen.value[0] ?? -1) : -1;
  });

  /** The tags of the only selected job. */
  override readonly tags = computed(() => this.tagsOf(this.only.value));

  constructor(model: Model, ended: AbortSignal) {
    super(model, ended);
    this.#counts = this.trait("counts", asView);
    this.#details = this.trait("details", (value) => (value ?? {}) as Details);
    const stopSettling = effect(() => {
      const told = this.#details.value;
      const left = [...this.#wanted.peek()].filter(([row, on]) => row in told !== on);
      this.#wanted.value = new Map(left);
    });
    this.old.value = this.meta.value?.total || 0;
    const stopAging = effect(() => {
      const { total } = this.meta.value ?? {};
      if (!total || total === this.old.value) return;
      const timer = setTimeout(() => {
        this.old.value = total;
      }, NEW);
      return () => clearTimeout(timer);
    });
    // After a reload the page begins with what Python takes for selected.
    const chosen = this.summary.value?.selected ?? [];
    this.reading.selected.value = new Set(chosen);
    let said = String(chosen);
    const stopTelling = effect(() => {
      const rows = [...this.reading.selected.value].sort((a, b) => a - b);
      const timer = setTimeout(() => {
        if (said === String(rows) || this.deaf.peek()) return;
        said = String(rows);
        this.commands.send("select", { rows });
      }, SETTLED);
      return () => clearTimeout(timer);
    });
    ended.addEventListener("abort", () => {
      stopSettling();
      stopAging();
      stopTelling();
    });
  }

  /** The sub-jobs of a row by state. */
  countsOf(row: number): Counts {
    return Object.fromEntries(STATUSES.map((status, at) => [status, this.#count(row, at)])) as Counts;
  }

  #count(row: number, state: number): number {
    const told = this.#counts.value;
    const at = 4 * (STATUSES.length * row + state);
    return at + 4 > told.byteLength ? 0 : told.getUint32(at, true);
  }

  /** How much of a job is done, 0 to 1. */
  progress(row: number): number {
    return this.#count(row, STATUSES.indexOf("DONE")) / (this.meta.peek().totals[row] || 1);
  }

  tagsOf(row: number): string[] {
    const told = this.meta.value.tagged[row] ?? [];
    const edit = this.#edit.value;
    const stands = edit?.row === row && (edit.before === String(told) || this.commands.isPending("tags"));
    return stands ? edit.tags : told;
  }

  /** Whether its sub-jobs have been told, so that nobody needs to be asked for them. */
  isTold(row: number): boolean {
    return row in this.#details.value;
  }

  /** Opens a row to its sub-jobs, or closes it; without the kernel too, as far as they have been told. */
  async expand(row: number, on: boolean): Promise<void> {
    const alone = this.deaf.peek();
    if (!this.meta.peek().composites[row] || (alone && on && !this.isTold(row))) return;
    this.#wanted.value = new Map(this.#wanted.peek()).set(row, on);
    if (alone) return;
    const answer = await this.commands.send("expand", { row, on });
    if (answer.ok) return;
    const left = new Map(this.#wanted.peek());
    left.delete(row);
    this.#wanted.value = left;
    this.commands.tell(answer);
  }

  /** Replaces the tags of the only selected job. */
  override async retag(tags: string[]): Promise<void> {
    const row = this.only.peek();
    if (row < 0) return;
    const edit = { row, tags, before: String(this.meta.peek().tagged[row] ?? []) };
    this.#edit.value = edit;
    const { ok } = await this.commands.send("tags", { rows: [row], tags });
    if (!ok && this.#edit.peek() === edit) this.#edit.value = null;
  }

  /** "vqe, qaoa, d57e7860 and 4 more". */
  override named(rows: number[]): string {
    const all = names(this.meta.peek());
    const more = rows.length > NAMED ? ` and ${number(rows.length - NAMED)} more` : "";
    return (
      rows
        .slice(0, NAMED)
        .map((row) => all[row])
        .join(", ") + more
    );
  }
}
