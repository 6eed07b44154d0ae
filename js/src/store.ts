import { batch, computed, effect, signal } from "@preact/signals-core";
import { Commands } from "./commands";
import { asView, Parts } from "./parts";
import type { Answer, Meta, Model, Summary } from "./protocol";

/** Milliseconds without a heartbeat (Python sends one every 5 s) until contact counts as lost. */
export const LOST_AFTER = 15_000;

/**
 * Everything the views of one model share: what Python says, what was clicked, where the reader is.
 * Lives as long as the model; its clock ticks only while there is a view.
 */
export class Store {
  readonly meta;
  readonly summary;
  readonly parts;
  /** The reader's clock, milliseconds; moves once a second and with each summary. */
  readonly now = signal(Date.now());
  /** When the last summary came, and how old it was then: only one found at the start can be old. */
  readonly heard;
  readonly commands: Commands;
  /** The row that the keyboard is on; a new object each time it is pointed at. */
  readonly active = signal({ part: -1 });
  /** Where the last view was scrolled to; a new view starts there. */
  scrollTop = 0;
  readonly #views = signal(0);

  /** Python has written all traits; before that there is nothing to draw. */
  readonly ready = computed(() => Boolean(this.meta.value?.ids && this.summary.value?.counts));

  /** No heartbeat though there should be one: the kernel has gone, or the connection. */
  readonly lost = computed(() => {
    const { final, closed } = this.summary.value;
    return !final && !closed && this.now.value - this.heard.value.at >= LOST_AFTER;
  });

  /** Nobody will answer a click. */
  readonly deaf = computed(() => this.lost.value || this.summary.value.closed);

  /** The kernel's clock as far as it is known: it stands still when nothing is heard from it. */
  readonly kernelNow = computed(() => {
    const { at, lag } = this.heard.value;
    const passed = this.deaf.value ? 0 : Math.max(0, this.now.value - at) + lag;
    return this.summary.value.beat + passed;
  });

  constructor(model: Model, ended: AbortSignal) {
    this.meta = signal(model.get("meta") as Meta);
    this.summary = signal(model.get("summary") as Summary);
    const live = signal(asView(model.get("live")));
    const times = signal(asView(model.get("times")));
    this.parts = computed(() => new Parts(this.meta.value, live.value, times.value));
    const beat = this.summary.value?.beat;
    this.heard = signal({ at: this.now.value, lag: beat ? Math.max(0, this.now.value - beat) : 0 });
    this.commands = new Commands(model);

    const listen = (event: string, listener: (value: never) => void) => {
      model.on(event, listener);
      ended.addEventListener("abort", () => model.off(event, listener), { once: true });
    };
    listen("change:meta", () => {
      this.meta.value = model.get("meta") as Meta;
    });
    listen("change:live", () => {
      live.value = asView(model.get("live"));
    });
    listen("change:times", () => {
      times.value = asView(model.get("times"));
    });
    listen("change:summary", () => this.#hear(model));
    listen("msg:custom", (answer: Answer) => this.commands.receive(answer));

    const stopTwin = effect(() => hideTwin(this.#views.value > 0 ? this.meta.value?.twin : ""));
    const stopClock = effect(() => {
      if (this.#views.value === 0) return;
      this.now.value = Date.now();
      const timer = setInterval(() => {
        this.now.value = Date.now();
      }, 1000);
      return () => clearInterval(timer);
    });
    ended.addEventListener("abort", () => {
      stopTwin();
      stopClock();
      this.commands.dispose();
    });
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
      const before = this.summary.peek()?.beat;
      this.summary.value = model.get("summary") as Summary;
      this.now.value = Date.now();
      if (this.summary.peek().beat !== before) this.heard.value = { at: this.now.peek(), lag: 0 };
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
