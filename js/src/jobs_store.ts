import { type Detail, detail, lines } from "./details";
import { number } from "./format";
import type { Details, JobsMeta } from "./jobs_protocol";
import { JobsReading, names } from "./jobs_reading";
import { asView } from "./parts";
import { type Counts, type Model, STATUSES } from "./protocol";
import { computed, effect, type Signal, signal } from "./signals";
import { Store } from "./store";

/** Milliseconds that a selection stands before Python is told. */
const SETTLED = 250;
/** Names in a question. */
const NAMED = 3;

/** What the views of one table share, beside all that those of a panel do. */
export class JobsStore extends Store {
  declare readonly meta: Signal<JobsMeta>;
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
    const trait = <Value>(name: string, read: (value: unknown) => Value): Signal<Value> => {
      const kept = signal(read(model.get(name)));
      const changed = () => {
        kept.value = read(model.get(name));
      };
      model.on(`change:${name}`, changed);
      ended.addEventListener("abort", () => model.off(`change:${name}`, changed), { once: true });
      return kept;
    };
    this.#counts = trait("counts", asView);
    this.#details = trait("details", (value) => (value ?? {}) as Details);
    const stopSettling = effect(() => {
      const told = this.#details.value;
      const left = [...this.#wanted.peek()].filter(([row, on]) => row in told !== on);
      this.#wanted.value = new Map(left);
    });
    let said = "";
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
    return edit?.row === row && edit.before === String(told) ? edit.tags : told;
  }

  /** Opens a row to its sub-jobs, or closes it. */
  async expand(row: number, on: boolean): Promise<void> {
    if (!this.meta.peek().composites[row] || this.deaf.peek()) return;
    this.#wanted.value = new Map(this.#wanted.peek()).set(row, on);
    const { ok } = await this.commands.send("expand", { row, on });
    if (ok) return;
    const left = new Map(this.#wanted.peek());
    left.delete(row);
    this.#wanted.value = left;
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
