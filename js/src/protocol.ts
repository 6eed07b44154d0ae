/** What travels between the Python widget and its views. Python alone writes the traits, whole each time. */

/** The seven states in the order of their codes in `live`; the names are those of Qiskit's JobStatus. */
export const STATUSES = [
  "INITIALIZING",
  "VALIDATING",
  "QUEUED",
  "RUNNING",
  "ERROR",
  "CANCELLED",
  "DONE",
] as const;
export type Status = (typeof STATUSES)[number];
export type Counts = Record<Status, number>;

export const WORDS: Record<Status, string> = {
  INITIALIZING: "initializing",
  VALIDATING: "validating",
  QUEUED: "queued",
  RUNNING: "running",
  ERROR: "failed",
  CANCELLED: "cancelled",
  DONE: "done",
};
const FINAL: ReadonlySet<Status> = new Set<Status>(["ERROR", "CANCELLED", "DONE"]);
export const isFinal = (status: Status): boolean => FINAL.has(status);

export interface Reason {
  code: number | null;
  text: string;
}

/** Why parts failed: the different texts, and which of them a part has that has one. */
export interface Reasons {
  texts: Reason[];
  of: Record<number, number>;
}

/** What rarely changes. Lists have one entry a part. */
export interface Meta {
  id: string;
  /** Id of the static copy of the table in the same output. */
  twin: string;
  name: string | null;
  kind: "composite" | "job" | "table";
  backend: string;
  total: number;
  /** First and last circuit, inclusive; empty lists where the circuits are unknown. */
  start: number[];
  end: number[];
  /** "" = not sent yet. */
  ids: string[];
  /** The service's own word for parts whose word the table of states does not know. */
  words: Record<string, string>;
  /** Which circuit a part is, "" where that is not known; null when nothing is known of any. */
  labels: string[] | null;
  /** What else of its circuits each part is found by; not there when that is not known. */
  within?: string[] | null;
  /** The user's own tags. */
  tags: string[];
  /** Milliseconds since 1970; origin of `times`. */
  created: number;
  /** When the backend was calibrated last, milliseconds since 1970. */
  calibrated: number | null;
  /** What this job offers; what is not named it does not. */
  can: Partial<Record<Operation, boolean>>;
  rev: number;
}

/** The whole in a few numbers, and the heartbeat. */
export interface Summary {
  status: Status;
  word: string;
  counts: Counts;
  /** What the whole waits for, one sentence. */
  why: string;
  done_circuits: number;
  circuits: number;
  rerunnable: number;
  /** The same by what became of them; UNSENT never reached the service. */
  rerunnable_by: Record<Rerunnable, number>;
  open: number;
  /** QPU seconds. */
  usage: number | null;
  /** Times are "seen at", not the service's own. */
  approximate: boolean;
  /** Last answer of the service, milliseconds on the kernel's clock. */
  asked: number | null;
  /** Seconds to the next question. */
  interval: number | null;
  /** Failed questions in a row, and the text of the last. */
  failures: number;
  error: string | null;
  /** When this was published, milliseconds on the kernel's clock. */
  beat: number;
  final: boolean;
  /** The panel was stopped from Python. */
  closed: boolean;
  /** Nothing is asked for now. */
  paused: boolean;
  /** The paced queue of this job: parts left of a total, seconds to go, and what is wrong, if anything. */
  sending: { left: number; total: number; seconds: number | null; trouble: string } | null;
  /** QPU seconds: used, expected for the whole, and left of what the instance may use. */
  cost: { used: number; estimated: number | null; left: number | null; limit: number | null } | null;
}

export const RERUNNABLE = ["ERROR", "CANCELLED", "UNSENT"] as const;
export type Rerunnable = (typeof RERUNNABLE)[number];

export type Operation =
  | "cancel"
  | "rerun"
  | "stop"
  | "refresh"
  | "pause"
  | "freeze"
  | "tags"
  | "report"
  | "reason"
  | "circuits"
  | "expand"
  | "select";

/** What an operation is about; parts are told by index. */
export interface Arguments {
  rows?: number[];
  states?: Rerunnable[];
  on?: boolean;
  tags?: string[];
  row?: number;
  open?: boolean;
}
export interface Command extends Arguments {
  op: Operation | "view";
  request: string;
}
export interface Settled {
  request: string;
  phase: "settled";
  ok: boolean;
  text: string;
  data?: unknown;
}
export type Answer = { request: string; phase: "ack" } | Settled;

/** One circuit of a part, as `circuits` tells it. */
export interface Circuit {
  name: string;
  parameters: Record<string, string>;
}

/** The part of anywidget's model that is used here. */
export interface Model {
  get(name: string): unknown;
  on(event: string, listener: (value: never) => void): void;
  off(event: string, listener: (value: never) => void): void;
  send(content: Command): void;
}
