import { computed, signal } from "@preact/signals-core";
import type { Answer, Model, Operation } from "./protocol";

export const NAMES: Record<Operation, string> = { cancel: "Cancel", rerun: "Rerun", refresh: "Refresh" };

/** Milliseconds without an acknowledgement until the panel says that the kernel is busy. */
export const BUSY_AFTER = 1500;
/** Milliseconds that the text of a command that went well stays. */
const TEXT_STAYS = 6000;

interface Pending {
  request: string;
  phase: "sent" | "late" | "acknowledged";
  timer: ReturnType<typeof setTimeout>;
}

export interface Message {
  ok: boolean;
  text: string;
}

/**
 * The commands of one model, shared by its views. A command is pending from the click until Python has
 * settled it, and until then a second click on it does nothing.
 */
export class Commands {
  readonly #pending = signal<ReadonlyMap<Operation, Pending>>(new Map());
  #textTimer: ReturnType<typeof setTimeout> | undefined;

  /** What the last command came to; null when it has been told long enough. */
  readonly message = signal<Message | null>(null);

  /** The first command whose acknowledgement is overdue. */
  readonly late = computed(
    () => [...this.#pending.value].find(([, { phase }]) => phase === "late")?.[0] ?? null,
  );

  readonly #model: Pick<Model, "send">;

  constructor(model: Pick<Model, "send">) {
    this.#model = model;
  }

  isPending(operation: Operation): boolean {
    return this.#pending.value.has(operation);
  }

  send(operation: Operation): void {
    if (this.isPending(operation)) return;
    const request = `${operation}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const timer = setTimeout(() => this.#put(operation, { request, phase: "late", timer }), BUSY_AFTER);
    this.#put(operation, { request, phase: "sent", timer });
    this.#tell(null);
    this.#model.send({ op: operation, request });
  }

  /** Takes an answer from Python; one to another page's command is not ours. */
  receive(answer: Answer): void {
    const found = [...this.#pending.value].find(([, { request }]) => request === answer?.request);
    if (!found) return;
    const [operation, pending] = found;
    clearTimeout(pending.timer);
    if (answer.phase === "ack") this.#put(operation, { ...pending, phase: "acknowledged" });
    else {
      this.#pending.value = new Map([...this.#pending.value].filter(([name]) => name !== operation));
      this.#tell(answer);
    }
  }

  dispose(): void {
    for (const { timer } of this.#pending.value.values()) clearTimeout(timer);
    clearTimeout(this.#textTimer);
  }

  #put(operation: Operation, pending: Pending): void {
    this.#pending.value = new Map(this.#pending.value).set(operation, pending);
  }

  #tell(message: Message | null): void {
    clearTimeout(this.#textTimer);
    this.message.value = message;
    if (message?.ok) this.#textTimer = setTimeout(() => this.#tell(null), TEXT_STAYS);
  }
}
