import { countWords, shortId } from "./format";
import type { Meta, Summary } from "./protocol";
import { effect, type ReadonlySignal, signal } from "./signals";

const MARK = /^\([✓✕]\) /;
const BACK = ["focus", "pointerdown", "keydown"] as const;

/** Marks the page's title until the reader is back, also where the page writes another one meanwhile. */
function markTitle(mark: string): void {
  const write = () => {
    document.title = `(${mark}) ${document.title.replace(MARK, "")}`;
  };
  write();
  const written = new MutationObserver(() => MARK.test(document.title) || write());
  written.observe(document.head, { childList: true, subtree: true });
  const back = new AbortController();
  const unmark = () => {
    written.disconnect();
    document.title = document.title.replace(MARK, "");
    back.abort();
  };
  for (const event of BACK) window.addEventListener(event, unmark, { capture: true, signal: back.signal });
}

/**
 * Tells a reader who looks elsewhere that something failed or that all is over: by a mark in the title of the
 * page, and by the browser where it may. Off until it is asked for.
 */
export class Notifier {
  readonly on = signal(false);
  readonly #stop;

  constructor(meta: ReadonlySignal<Meta>, summary: ReadonlySignal<Summary>) {
    let before: { failed: number; final: boolean } | undefined;
    this.#stop = effect(() => {
      if (!this.on.value) {
        before = undefined;
        return;
      }
      const { counts, final } = summary.value;
      const now = { failed: counts.ERROR, final };
      const last = before ?? now;
      before = now;
      const ended = final && !last.final;
      if (!ended && (now.failed === 0 || last.failed > 0)) return;
      const { name, id } = meta.peek();
      markTitle(now.failed ? "✕" : "✓");
      const title = `${name || shortId(id) || "Job"} ${ended ? "finished" : "has failures"}`;
      if (window.Notification?.permission === "granted") show(title, countWords(counts), id);
    });
  }

  /** Turns it on or off; asks for permission, and works without it by the title alone. */
  toggle(): void {
    this.on.value = !this.on.peek();
    if (this.on.peek() && window.Notification?.permission === "default") {
      // Old browsers answer by a callback and return nothing.
      Promise.resolve(Notification.requestPermission()).catch(() => {});
    }
  }

  dispose(): void {
    this.#stop();
  }
}

function show(title: string, body: string, tag: string): void {
  try {
    new Notification(title, { body, tag });
  } catch {
    // Phones allow notifications from service workers only; the title is marked all the same.
  }
}
