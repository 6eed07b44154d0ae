import {
  type Command,
  type Meta,
  type Model,
  type Reason,
  type Reasons,
  STATUSES,
  type Status,
  type Summary,
} from "../src/protocol";

/** One letter a part: I V Q R E C D by status, U = never sent. */
export const LETTERS: Record<string, Status> = {
  ...(Object.fromEntries(STATUSES.map((status) => [status[0], status])) as Record<string, Status>),
  U: "INITIALIZING",
};

export interface Traits {
  meta: Meta;
  live: DataView;
  times: DataView;
  reasons: Reasons;
  summary: Summary;
}

/** Why parts failed, from one number a part; -1 is a part without a reason. */
export function because(of: number[], ...texts: Reason[]): Reasons {
  return { texts, of: Object.fromEntries([...of.entries()].filter(([, reason]) => reason >= 0)) };
}

/** Traits as Python would write them; ten circuits a part, all created 60 s ago. */
export function traits(letters: string): Traits {
  const created = Date.now() - 60_000;
  const parts = [...letters].map((letter) => ({ letter, status: LETTERS[letter] ?? "INITIALIZING" }));
  const live = new DataView(new ArrayBuffer(4 * parts.length));
  const times = new DataView(new ArrayBuffer(20 * parts.length));
  parts.forEach(({ letter, status }, part) => {
    live.setUint8(4 * part, STATUSES.indexOf(status));
    live.setUint8(4 * part + 1, letter === "U" ? 0 : 1);
    if (status === "QUEUED") live.setUint16(4 * part + 2, part + 1, true);
    if (letter !== "U") times.setUint32(20 * part, 1, true);
    if ("DEC".includes(letter)) times.setUint32(20 * part + 8, 43, true);
  });
  const of = (...wanted: Status[]) => parts.filter(({ status }) => wanted.includes(status)).length;
  const counts = Object.fromEntries(STATUSES.map((status) => [status, of(status)])) as Summary["counts"];
  const open = parts.length - of("ERROR", "CANCELLED", "DONE");
  const status = STATUSES.find((name) => counts[name]) ?? "INITIALIZING";
  return {
    meta: {
      id: "ibm_composite_job_id_0123456789abcdef0123456789abcdef_",
      twin: "twin-1",
      name: "Ising sweep",
      kind: "composite",
      backend: "local_manila",
      total: parts.length,
      start: parts.map((_, part) => 10 * part),
      end: parts.map((_, part) => 10 * part + 9),
      ids: parts.map(({ letter }, part) => (letter === "U" ? "" : `job-${part}`)),
      words: {},
      labels: null,
      tags: ["vqe"],
      created,
      calibrated: null,
      can: {
        cancel: true,
        rerun: true,
        refresh: true,
        tags: true,
        pause: true,
        freeze: true,
        report: true,
        circuits: true,
      },
      rev: 1,
    },
    live,
    times,
    reasons: because(
      parts.map(({ letter }) => (letter === "E" ? 0 : -1)),
      ...(of("ERROR") ? [{ code: 1500, text: "calibration interrupted" }] : []),
    ),
    summary: {
      status,
      word: status.toLowerCase(),
      counts,
      why: "2 queued, the last at position 3",
      done_circuits: 10 * counts.DONE,
      circuits: 10 * parts.length,
      rerunnable: of("ERROR", "CANCELLED"),
      rerunnable_by: { ERROR: of("ERROR"), CANCELLED: of("CANCELLED"), UNSENT: 0 },
      open,
      usage: 8.4,
      approximate: false,
      asked: Date.now(),
      interval: 2,
      failures: 0,
      error: null,
      beat: Date.now(),
      final: open === 0,
      closed: false,
      paused: false,
      sending: null,
      cost: null,
    },
  };
}

/** What anywidget hands to a view, without a kernel. */
export class FakeModel implements Model {
  readonly sent: Command[] = [];
  /** What the page said of its views. */
  readonly views: Command[] = [];
  readonly listeners = new Map<string, Set<(value: never) => void>>();

  constructor(readonly traits: Traits) {}

  get(name: string): unknown {
    return this.traits[name as keyof Traits];
  }

  on(event: string, listener: (value: never) => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
  }

  off(event: string, listener: (value: never) => void): void {
    this.listeners.get(event)?.delete(listener);
  }

  send(command: Command): void {
    (command.op === "view" ? this.views : this.sent).push(command);
  }

  /** Settles the last command. */
  settle(ok: boolean, text: string, data?: unknown): void {
    this.emit("msg:custom", { request: this.sent.at(-1)?.request, phase: "settled", ok, text, data });
  }

  emit(event: string, value?: unknown): void {
    for (const listener of this.listeners.get(event) ?? []) listener(value as never);
  }

  set(changes: Partial<Traits>): void {
    Object.assign(this.traits, changes);
    for (const name of Object.keys(changes)) this.emit(`change:${name}`);
  }

  /** A new summary with a new heartbeat. */
  beat(changes: Partial<Summary> = {}): void {
    this.set({ summary: { ...this.traits.summary, beat: Date.now(), asked: Date.now(), ...changes } });
  }
}
