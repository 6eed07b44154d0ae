import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { countWords } from "./format";
import { title } from "./headline";
import { told as outcome } from "./message";
import type { Store } from "./store";
import { tracked, useSignal } from "./tracked";

/** Milliseconds between two sentences. */
const QUIET = 5000;

/** The one voice: the state of the whole has changed, something failed, all is over, or what a click came to. */
export const Announcer = tracked(({ store }: { store: Store }) => {
  const text = useSignal("");
  const told = useRef(0);
  const { status, word, counts, final } = store.summary.value;
  const name = title(store.meta.value);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const say = () => {
      told.current = Date.now();
      text.value = final
        ? `${name} finished: ${countWords(counts)}.`
        : `${name}: ${word}. ${countWords(counts)}.`;
    };
    const wait = told.current + QUIET - Date.now();
    if (final || wait <= 0) return say();
    const timer = setTimeout(say, wait);
    return () => clearTimeout(timer);
  }, [status, final, counts.ERROR]);
  const answer = outcome(store);
  useEffect(() => {
    if (answer) text.value = answer;
  }, [answer]);
  return (
    <p class="qjob-hidden" aria-live="polite">
      {text.value || null}
    </p>
  );
}, true);
