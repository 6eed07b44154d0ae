import { h } from "preact";
import { Button } from "./button";
import type { Store } from "./store";
import { tracked } from "./tracked";

/** What helps where a kernel has gone. */
export const AGAIN = "If the kernel was restarted, run this cell again.";

/** What the last click came to, or waits for; empty when there is nothing to tell. */
export function told(store: Store): string {
  const { late, message } = store.commands;
  const waiting = late.value;
  if (!waiting) return message.value?.text ?? "";
  const text = store.lost.value
    ? `${waiting} was asked, but the kernel does not answer.`
    : `The kernel is busy: ${waiting} will run when the running cell has finished.`;
  // A finished panel has no heartbeat, so a kernel that has gone looks like a busy one.
  return store.summary.value.final ? `${text} ${AGAIN}` : text;
}

export const Message = tracked(({ store }: { store: Store }) => {
  const { late, message } = store.commands;
  const failed = !late.value && message.value && !message.value.ok;
  return (
    <p class="qjob-message" data-failed={failed ? "" : undefined}>
      {told(store)}
      {failed && <Button kind="remove" label="Dismiss" onPress={() => store.commands.tell(null)} />}
    </p>
  );
});
