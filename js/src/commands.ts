import type { Answer, Arguments, Model, Operation, Settled } from "./protocol";
import { computed, signal } from "./signals";

export const NO_CONTACT = "There is no contact with the kernel.";

/** What an operation is called in sentences. */
export const NAMES: Partial<Record<Operation, string>> = {
  cancel: "Cancel",
  rerun: "Rerun",
  stop: "Stop sending",
  refresh: "Refresh",
  pause: "Pause",
  freeze: "Freeze",
  tags: "Edit tags",
  report: "Copy report",
};

/** Milliseconds without an acknowledgement until the panel says that the kernel is busy. */
export const BUSY_AFTER = 1500;
/** Milliseconds that the text of a command that went well stays. */
const TEXT_STAYS = 6000;

interface Pending {
  operation: Operation;
  request: string;
  phase: "sent" | "late" | "acknowledged";
  timer: ReturnType<typeof setTimeout>;
  settle: (answer: Settled) => void;
  settled: Promise<Settled>;
}

export interface Message {
  ok: boolean;
  text: string;
}

/**
 * The commands of one model, shared by its views. A command is pending from the click until Python has
 * settled it; until then the same one with the same arguments is not sent again. One without a name is a
 * question of the page: nothing is said of it.
 */
export class Commands {
  readonly #pending = signal<ReadonlyMap<string, Pending>>(new Map());
  #textTimer: ReturnType<typeof setTimeout> | undefined;

  /** What the last command came to; null when it has been told long enough. */
  readonly message = signal<Message | null>(null);

  /** The name of the first command whose acknowledgement is overdue. */
  readonly late = computed(
    () =>
      [...this.#pending.value.values()]
        .filter(({ phase }) => phase === "late")
        .map(({ operation }) => NAMES[operation])
        .find(Boolean) ?? "",
  );

  readonly #model: Pick<Model, "send">;

  constructor(model: Pick<Model, "send">) {
    this.#model = model;
  }

  /** Whether this is under way: with these arguments, or with any where none are given. */
  isPending(operation: Operation, about?: Arguments): boolean {
    if (about) return this.#pending.value.has(name(operation, about));
    return [...this.#pending.value.values()].some((pending) => pending.operation === operation);
  }

  /** Sends a command, unless the same is under way; resolves with what it comes to. */
  send(operation: Operation, about: Arguments = {}): Promise<Settled> {
    const key = name(operation, about);
    const found = this.#pending.peek().get(key);
    if (found) return found.settled;
    const request = `${operation}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    let settle: (answer: Settled) => void = () => {};
    const settled = new Promise<Settled>((keep) => {
      settle = keep;
    });
    const timer = setTimeout(() => this.#step(key, "late"), BUSY_AFTER);
    const pending: Pending = { operation, request, phase: "sent", timer, settle, settled };
    this.#pending.value = new Map(this.#pending.peek()).set(key, pending);
    if (NAMES[operation]) this.tell(null);
    try {
      this.#model.send({ op: operation, request, ...about });
    } catch {
      // The kernel that knew this panel has gone, and with it whoever listened.
      this.receive({
        request,
        phase: "settled",
        ok: false,
        text: NO_CONTACT,
      });
    }
    return settled;
  }

  /** Takes an answer from Python; one to another page's command is not ours. */
  receive(answer: Answer): void {
    const found = [...this.#pending.peek()].find(([, { request }]) => request === answer?.request);
    if (!found) return;
    const [key, { timer, operation, settle }] = found;
    clearTimeout(timer);
    if (answer.phase === "ack") {
      this.#step(key, "acknowledged");
      return;
    }
    const left = new Map(this.#pending.peek());
    left.delete(key);
    this.#pending.value = left;
    if (NAMES[operation]) this.tell(answer);
    settle(answer);
  }

  /** Shows what something came to; what went well only for a while. */
  tell(message: Message | null): void {
    clearTimeout(this.#textTimer);
    this.message.value = message;
    if (message?.ok) this.#textTimer = setTimeout(() => this.tell(null), TEXT_STAYS);
  }

  /** Tells no more of what went well. */
  forget(): void {
    if (this.message.peek()?.ok) this.tell(null);
  }

  dispose(): void {
    for (const { timer } of this.#pending.peek().values()) clearTimeout(timer);
    clearTimeout(this.#textTimer);
  }

  #step(key: string, phase: Pending["phase"]): void {
    const pending = this.#pending.peek().get(key);
    if (pending) this.#pending.value = new Map(this.#pending.peek()).set(key, { ...pending, phase });
  }
}

const name = (operation: Operation, about: Arguments): string => JSON.stringify([operation, about]);
