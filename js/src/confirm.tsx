import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { plural } from "./format";
import type { Store } from "./store";
import { tracked } from "./tracked";

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
  const what = single ? "this job" : plural(open, "open sub-job");
  const gone = open === 0 || store.deaf.value;

  useEffect(() => keep.current?.focus(), []);
  useEffect(() => {
    if (gone) close();
  }, [gone]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" && event.key !== "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return close();
    const buttons = [...(dialog.current?.querySelectorAll("button") ?? [])];
    buttons.find((button) => !button.matches(":focus"))?.focus();
  };
  const confirm = () => {
    store.commands.send("cancel");
    close();
  };
  return (
    <div
      ref={dialog}
      class="qjob-confirm"
      role="alertdialog"
      aria-modal="true"
      aria-labelledby={`${prefix}-title`}
      aria-describedby={`${prefix}-text`}
      onKeyDown={onKeyDown}
    >
      <b id={`${prefix}-title`}>Cancel {what}?</b>
      <span id={`${prefix}-text`}>{single ? "What it has computed is lost." : "What is done stays."}</span>
      <Button kind="danger" confirms onPress={confirm}>
        Cancel {what}
      </Button>
      <Button handle={keep} onPress={close}>
        Keep running
      </Button>
    </div>
  );
});
