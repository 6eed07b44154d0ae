import { failures } from "./failures";
import { filtered, type Sort, sorted } from "./order";
import type { Parts } from "./parts";
import type { Status } from "./protocol";
import { computed, type ReadonlySignal, signal } from "./signals";
import { type Span, whole } from "./timeline";

/** How a row was pressed: as in lists everywhere, shift means up to here and ctrl or cmd one more or less. */
export interface Press {
  shiftKey?: boolean;
  ctrlKey?: boolean;
  metaKey?: boolean;
}

/** Where a reader is and what he has chosen to see; shared by all views of a model. */
export class Reading {
  /** The row that the keyboard is on; a new object each time it is pointed at. */
  readonly active = signal({ part: -1 });
  readonly selected = signal<ReadonlySet<number>>(new Set());
  readonly sort = signal<Sort>({ key: "index", down: false });
  readonly text = signal("");
  readonly statuses = signal<ReadonlySet<Status>>(new Set());
  /** Key of the group of failures that the table is limited to; null = all. */
  readonly reason = signal<string | null>(null);
  /** Whether the timeline is wanted; null = where there is room for it. */
  readonly timeline = signal<boolean | null>(null);
  /** Whether the table that was drawn last has it. */
  readonly charted = signal(false);
  /** The part of the time axis that is shown; null = all of it. */
  readonly span = signal<Span | null>(null);
  /** All of the time axis. */
  readonly all = computed(() => whole(this.parts.value, this.now.value));
  /** Where the last view was scrolled to; a new view starts there. */
  scrollTop = 0;
  #anchor = -1;

  readonly failures = computed(() => failures(this.parts.value));
  readonly group = computed(() => this.failures.value.find(({ key }) => key === this.reason.value));
  readonly isFiltered = computed(
    () => Boolean(this.text.value.trim() || this.group.value) || this.statuses.value.size > 0,
  );

  readonly #size = computed(() => this.parts.value.size);
  /** Every part: the same array as long as they are as many, so that news of parts is no news of the order. */
  readonly #every = computed(() => new Uint32Array(this.#size.value).map((_, part) => part));
  readonly #found = computed(() => {
    if (!this.isFiltered.value) return this.#every.value;
    const among = this.group.value ? new Set(this.group.value.parts) : null;
    return filtered(this.parts.value, { text: this.text.value, statuses: this.statuses.value, among });
  });
  /** The parts that the table shows, in its order. */
  readonly order = computed(() =>
    sorted(this.parts.value, this.#found.value, this.sort.value, this.now.peek()),
  );
  /** Selected parts, in index order. */
  readonly chosen = computed(() =>
    [...this.selected.value].filter((part) => part < this.parts.value.size).sort((a, b) => a - b),
  );

  constructor(
    readonly parts: ReadonlySignal<Parts>,
    /** The kernel's clock. */
    readonly now: ReadonlySignal<number>,
  ) {}

  point(part: number): void {
    this.active.value = { part };
  }

  /** Leads to the row of a part, also when it is filtered out. */
  show(part: number): void {
    if (!this.order.peek().includes(part)) this.showAll();
    this.point(part);
  }

  showAll(): void {
    this.text.value = "";
    this.statuses.value = new Set();
    this.reason.value = null;
  }

  toggleStatus(status: Status): void {
    this.statuses.value = toggled(this.statuses.peek(), status);
  }

  /** Ascending, descending, and back to the order of the index. */
  sortBy(key: string): void {
    const { key: before, down } = this.sort.peek();
    this.sort.value =
      key !== before ? { key, down: false } : down ? { key: "index", down: false } : { key, down: true };
  }

  press(part: number, { shiftKey, ctrlKey, metaKey }: Press = {}): void {
    const selected = this.selected.peek();
    const order = this.order.peek();
    this.point(part);
    if (shiftKey && order.includes(this.#anchor)) {
      const ends = [order.indexOf(this.#anchor), order.indexOf(part)].sort((a, b) => a - b);
      const range = order.subarray(ends[0], (ends[1] ?? 0) + 1);
      this.selected.value = new Set([...(ctrlKey || metaKey ? selected : []), ...range]);
      return;
    }
    this.#anchor = part;
    const only = selected.size === 1 && selected.has(part);
    if (ctrlKey || metaKey) this.selected.value = toggled(selected, part);
    else this.selected.value = new Set(only ? [] : [part]);
  }

  selectAll(): void {
    this.selected.value = new Set(this.order.peek());
  }

  selectNone(): void {
    this.selected.value = new Set();
  }
}

function toggled<Value>(set: ReadonlySet<Value>, value: Value): ReadonlySet<Value> {
  const changed = new Set(set);
  if (!changed.delete(value)) changed.add(value);
  return changed;
}
