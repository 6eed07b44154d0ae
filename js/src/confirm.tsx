import { h } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { number, plural } from "./format";
import { OWN_KEYS, taken } from "./keys";
import type { Store } from "./store";
import { tracked, useOnce } from "./tracked";

interface Props {
  store: Store;
  /** Begins the ids of its texts; differs between views. */
  prefix: string;
  close: () => void;
}

/** The question before a cancel. Focus stays between its two buttons; Escape is "no". */
export const Confirm = tracked(({ store, prefix, close }: Props) => {
  const dialog = useRef<HTMLDivElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  const { open } = store.summary.value;
  const { total, kind } = store.meta.value;
  const single = total <= 1 && kind === "job";
  // Of a selection that was made before the question, what has ended since is left out.
  const selected = useOnce(() =>
    store.reading.chosen.peek().filter((part) => store.parts.peek().isOpen(part)),
  );
  const rows = selected.filter((part) => store.parts.value.isOpen(part));
  const some = selected.length > 0;
  const count = number(some ? rows.length : open);
  const what = single ? "this job" : some ? `${count} selected` : plural(open, `open ${store.noun}`);
  const which = some ? `${plural(rows.length, store.noun)} ${store.named(rows)}. ` : "";
  const gone = open === 0 || (some && rows.length === 0) || store.deaf.value;

  useLayoutEffect(() => keep.current?.focus(), []);
  useEffect(() => {
    if (gone) close();
  }, [gone]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" && event.key !== "Tab") return;
    taken(event);
    if (event.key === "Escape") return close();
    const buttons = [...(dialog.current?.querySelectorAll("button") ?? [])];
    buttons.find((button) => !button.matches(":focus"))?.focus();
  };
  const confirm = async () => {
    close();
    // Until it is settled the selection stays, and with it the button that says that it is under way.
    const { ok } = await store.commands.send("cancel", some ? { rows } : {});
    if (ok && some) store.reading.selectNone();
  };
  return (
    <div
      ref={dialog}
      class="qjob-confirm"
      role="alertdialog"
      aria-modal="true"
      aria-labelledby={`${prefix}-title`}
      aria-describedby={`${prefix}-text`}
      // A click beside the buttons must not take the keys elsewhere, nor the second one of a double click.
      tabIndex={-1}
      {...OWN_KEYS}
      onKeyDown={onKeyDown}
    >
      <b id={`${prefix}-title`}>Cancel {what}?</b>
      <span id={`${prefix}-text`}>
        {which}
        {single ? "What it has computed is lost." : "What is done stays."}
      </span>
      <Button kind="danger" confirms onPress={confirm}>
        Cancel {single || some ? what : `all ${count}`}
      </Button>
      <Button handle={keep} onPress={close}>
        Keep running
      </Button>
    </div>
  );
});
