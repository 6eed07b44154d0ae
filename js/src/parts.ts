import { isFinal, type Meta, type Reason, type Reasons, STATUSES, type Status, WORDS } from "./protocol";

const LIVE = 4;
const TIMES = 20;
const MOMENTS = ["created", "running", "finished", "expected"] as const;
const USAGE = 4 * MOMENTS.length;
const NOTHING = new DataView(new ArrayBuffer(0));
const NO_REASONS: Reasons = { texts: [], of: {} };

/** Largest queue position that `live` can say; it means "that or more". */
export const POSITION_LIMIT = 65535;

/** First and last circuit of a part, inclusive. */
export interface Circuits {
  first: number;
  last: number;
}

/**
 * The parts, read from the columns where they lie: nothing is copied. `size` is what `meta` and `live`
 * both know; a time that `times` does not hold is unknown.
 */
export class Parts {
  readonly size: number;
  readonly #live: DataView;
  readonly #times: DataView;

  constructor(
    readonly meta: Meta,
    live: DataView = NOTHING,
    times: DataView = NOTHING,
    readonly reasons: Reasons = NO_REASONS,
  ) {
    this.#live = live;
    this.#times = times;
    this.size = Math.min(meta?.total || 0, Math.floor(live.byteLength / LIVE));
  }

  /** Those in one state, in index order. */
  inState(status: Status): number[] {
    const code = STATUSES.indexOf(status);
    const found = [];
    for (let part = 0; part < this.size; part++) if (this.code(part) === code) found.push(part);
    return found;
  }

  /** The number of its state in STATUSES. */
  code(part: number): number {
    return this.#live.getUint8(LIVE * part);
  }

  status(part: number): Status {
    return STATUSES[this.code(part)] ?? "INITIALIZING";
  }

  /** Number of submissions; 0 = never sent. */
  attempt(part: number): number {
    return this.#live.getUint8(LIVE * part + 1);
  }

  /** Queue position, 1 is next; 0 where it is unknown or the part is not queued. */
  position(part: number): number {
    return this.#live.getUint16(LIVE * part + 2, true);
  }

  /** Milliseconds since 1970 on the service's clock; null = unknown. */
  time(part: number, which: (typeof MOMENTS)[number]): number | null {
    const tenths = this.#told(part, 4 * MOMENTS.indexOf(which));
    return tenths ? this.meta.created + (tenths - 1) * 100 : null;
  }

  /** Milliseconds of QPU time; null = unknown. */
  usage(part: number): number | null {
    const told = this.#told(part, USAGE);
    return told ? told - 1 : null;
  }

  /** Milliseconds from creation to the end, or to `now` while it has not ended; null = unknown. */
  elapsed(part: number, now: number): number | null {
    const created = this.time(part, "created");
    const end = isFinal(this.status(part)) ? this.time(part, "finished") : now;
    return created === null || end === null ? null : Math.max(0, end - created);
  }

  id(part: number): string {
    return this.meta.ids[part] ?? "";
  }

  word(part: number): string {
    return this.meta.words[part] ?? WORDS[this.status(part)];
  }

  circuits(part: number): Circuits | null {
    const first = this.meta.start[part];
    const last = this.meta.end[part];
    return first === undefined || last === undefined ? null : { first, last };
  }

  /** Which circuit it is; empty where that is not known. */
  label(part: number): string {
    return this.meta.labels?.[part] ?? "";
  }

  reason(part: number): Reason | null {
    return this.reasons.texts[this.reasons.of[part] as number] ?? null;
  }

  /** Whether it can be cancelled. */
  isOpen(part: number): boolean {
    return !isFinal(this.status(part));
  }

  /** Whether it ended without a result. */
  isRerunnable(part: number): boolean {
    const status = this.status(part);
    return status === "ERROR" || status === "CANCELLED";
  }

  #told(part: number, offset: number): number {
    const at = TIMES * part + offset;
    return at + 4 > this.#times.byteLength ? 0 : this.#times.getUint32(at, true);
  }
}

/** A `Bytes` trait is a DataView in the browser; anything else counts as empty. */
export const asView = (value: unknown): DataView => (value instanceof DataView ? value : NOTHING);
