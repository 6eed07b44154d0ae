import { NO_CONTACT } from "./commands";
import type { Operation } from "./protocol";
import type { Store } from "./store";

/** Why an operation's button does nothing, in the words of its title; empty when it works. */
export function obstacle(store: Store, operation: Operation): string {
  const { open, rerunnable, closed, final } = store.summary.value;
  if (closed) return "The panel was stopped.";
  if (store.lost.value) return NO_CONTACT;
  // Stopping belongs to what is being sent, which only a job that can send shows.
  if (operation !== "stop" && !store.meta.value.can[operation]) {
    const which = store.noun === "job" ? "None of these jobs offers a" : "This job offers no";
    return `${which} way to ${operation} it.`;
  }
  // A query goes on when nothing of what it found is open.
  if ((operation === "cancel" && open === 0) || (operation === "pause" && final))
    return "Nothing is open any more.";
  if (operation === "rerun" && rerunnable === 0) return "Nothing has failed.";
  return "";
}
