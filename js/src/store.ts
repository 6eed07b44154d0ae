import { Commands } from "./commands";
import { ranges } from "./format";
import { Notifier } from "./notify";
import { asView, Parts } from "./parts";
import type { Answer, Circuit, Meta, Model, Reasons, Summary } from "./protocol";
import { Reading } from "./reading";
import { batch, computed, effect, type Signal, signal } from "./signals";
import { drawSoon } from "./tracked";

/** Milliseconds without a heartbeat (Python sends one every 5 s) until contact counts as lost. */
export const LOST_AFTER = 15_000;

/** The same for what was old when it was found, as in a saved notebook: a living kernel tells news at once. */
const UNHEARD_AFTER = 6_000;

/** Tells the pages of a model apart where they say how many views they have. */
const PAGE = Math.random().toString(36).slice(2);

/**
 * Everything the views of one model share: what Python says, what was clicked, where the reader is.
 * Lives as long as the model; its clock ticks only while there is a view.
 */
export class Store {
  /** What a row is called. */
  readonly noun: string = "sub-job";
  readonly meta;
  readonly summary;
  readonly parts;
  /** The reader's clock, milliseconds; moves once a second and with each summary. */
  readonly now = signal(Date.now());
  /** When the last summary came, and how old it was then: only one found at the start can be old. */
  readonly heard;
  readonly commands: Commands;
  readonly reading: Reading;
  readonly notifier: Notifier;
  /** Circuits of parts, as far as they were asked for. */
  readonly circuits = signal<ReadonlyMap<number, Circuit[]>>(new Map());
  /** The tags as they will be, from an edit until Python tells them; null = those of `meta`. */
  readonly tags = signal<string[] | null>(null);
  readonly #views = signal(0);

  /** Python has written all traits; before that there is nothing to draw. */
  readonly ready = computed(() => Boolean(this.meta.value?.ids && this.summary.value?.counts));

  /** No heartbeat though there should be one: the kernel has gone, or the connection. */
  readonly lost = computed(() => {
    const { final, closed } = this.summary.value;
    const { at, lag } = this.heard.value;
    const silence = this.now.value - at;
    if (closed) return false;
    return lag > LOST_AFTER ? silence >= UNHEARD_AFTER : !final && silence >= LOST_AFTER;
  });

  /** Nobody will answer a click. */
  readonly deaf = computed(() => this.lost.value || this.summary.value.closed);

  /** The kernel's clock as far as it is known: it stands still when nothing is heard from it. */
  readonly kernelNow = computed(() => {
    const { at, lag } = this.heard.value;
    const passed = this.deaf.value ? 0 : Math.max(0, this.now.value - at) + lag;
    return this.summary.value.beat + passed;
  });

  constructor(
    readonly model: Model,
    readonly ended: AbortSignal,
  ) {
    this.meta = signal(model.get("meta") as Meta);
    this.summary = signal(model.get("summary") as Summary);
    const live = this.trait("live", asView);
    const times = this.trait("times", asView);
    const reasons = this.trait("reasons", (value) => value as Reasons);
    this.parts = computed(() => new Parts(this.meta.value, live.value, times.value, reasons.value));
    const beat = this.summary.value?.beat;
    this.heard = signal({ at: this.now.value, lag: beat ? Math.max(0, this.now.value - beat) : 0 });
    this.commands = new Commands(model);
    this.reading = new Reading(this.parts, this.kernelNow);
    this.notifier = new Notifier(this.meta, this.summary);

    this.listen("change:meta", () => {
      const { tags } = this.meta.peek() ?? {};
      this.meta.value = model.get("meta") as Meta;
      const retagged = String(tags) !== String(this.meta.peek()?.tags);
      // While more edits are under way, what is shown stays ahead.
      if (retagged && !this.commands.isPending("tags")) this.tags.value = null;
    });
    this.listen("change:summary", () => this.#hear(model));
    this.listen("msg:custom", (answer: Answer) => this.commands.receive(answer));

    const stopTwin = effect(() => hideTwin(this.#views.value > 0 ? this.meta.value?.twin : ""));
    const stopClock = effect(() => {
      if (this.#views.value === 0) return;
      this.now.value = Date.now();
      const timer = setInterval(() => {
        this.now.value = Date.now();
      }, 1000);
      return () => clearInterval(timer);
    });
    const seen = computed(() => this.#views.value > 0);
    const stopTelling = effect(() => {
      if (!seen.value) return;
      // While nobody looks Python may rest, so silence until now means nothing.
      this.heard.value = { ...this.heard.peek(), at: Date.now() };
      const tell = (open: boolean) => {
        try {
          model.send({ op: "view", request: PAGE, open });
        } catch {
          // The kernel that heard of this panel has gone.
        }
      };
      tell(true);
      return () => tell(false);
    });
    ended.addEventListener("abort", () => {
      stopTelling();
      this.notifier.dispose();
      stopTwin();
      stopClock();
      this.commands.dispose();
    });
  }

  /** Calls back at every event of a name as long as the model lives; what it changes is drawn at once. */
  protected listen(event: string, listener: (value: never) => void): void {
    const heard = (value: never) => {
      listener(value);
      drawSoon();
    };
    this.model.on(event, heard);
    this.ended.addEventListener("abort", () => this.model.off(event, heard));
  }

  /** What Python wrote into a trait last. */
  protected trait<Value>(name: string, read: (value: unknown) => Value): Signal<Value> {
    const kept = signal(read(this.model.get(name)));
    this.listen(`change:${name}`, () => {
      kept.value = read(this.model.get(name));
    });
    return kept;
  }

  /** Asks for the circuits of a part, once. */
  async ask(part: number): Promise<void> {
    if (!this.meta.peek().can.circuits || this.deaf.peek() || this.circuits.peek().has(part)) return;
    const { ok, data } = await this.commands.send("circuits", { row: part });
    if (ok && Array.isArray(data)) this.circuits.value = new Map(this.circuits.peek()).set(part, data);
  }

  /** Replaces the user's tags; what is shown goes ahead and comes back when it is refused. */
  async retag(tags: string[]): Promise<void> {
    this.tags.value = tags;
    const { ok } = await this.commands.send("tags", { tags });
    if (!ok && this.tags.peek() === tags) this.tags.value = null;
  }

  /** Rows in words: "#3–5, 9 and 4 more". */
  named(rows: number[]): string {
    return ranges(rows.map((part) => ({ first: part, last: part }))).replace(/^circuits? /, "#");
  }

  /** Counts a view in; call what it returns when the view goes. */
  open(): () => void {
    this.#views.value++;
    return () => {
      this.#views.value--;
    };
  }

  #hear(model: Model): void {
    batch(() => {
      const before = this.summary.peek();
      this.summary.value = model.get("summary") as Summary;
      this.now.value = Date.now();
      const { beat, final } = this.summary.peek();
      if (beat !== before?.beat) this.heard.value = { at: this.now.peek(), lag: 0 };
      // What went well has come true.
      if (final && !before?.final) this.commands.forget();
    });
  }
}

/** Hides the static copy of the table; returns how to show it again. */
function hideTwin(id: string | undefined): (() => void) | undefined {
  if (!id) return undefined;
  const style = document.createElement("style");
  style.textContent = `[data-qjob-twin="${CSS.escape(id)}"]{display:none!important}`;
  document.head.append(style);
  return () => style.remove();
}
