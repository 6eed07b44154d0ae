import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { countWords } from "./format";
import { title } from "./headline";
import type { Store } from "./store";
import { tracked, useSignal } from "./tracked";

/** Milliseconds between two sentences. */
const QUIET = 5000;

/** Tells a screen reader when the state of the whole changes, something fails, or all is over. */
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
  return (
    <p class="qjob-announcer" aria-live="polite">
      {text.value}
    </p>
  );
});
