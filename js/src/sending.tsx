import { h } from "preact";
import { Button } from "./button";
import { duration, number } from "./format";
import { obstacle } from "./obstacle";
import type { Store } from "./store";
import { tracked } from "./tracked";

/** How far the paced queue is, and how to stop it. Nothing while nothing waits to be sent. */
export const Sending = tracked(({ store }: { store: Store }) => {
  const { sending } = store.summary.value;
  if (!sending) return null;
  const { left, total, seconds, trouble } = sending;
  const step = (seconds ?? 0) < 60 ? 1 : 30;
  const about = Math.max(1, Math.round((seconds ?? 0) / step)) * step;
  const togo = seconds === null ? "" : `, about ${duration(about * 1000)} to go`;
  return (
    <div class="qjob-sending">
      <progress max={total} value={total - left} aria-label="Sub-jobs sent" />
      <span>
        {number(left)} of {number(total)} still to send{togo}
        {trouble && <span class="qjob-failing"> · {trouble}</span>}
      </span>
      <Button
        disabled={obstacle(store, "stop") !== ""}
        pending={store.commands.isPending("stop")}
        title="What is not sent yet is cancelled and can be rerun"
        onPress={() => store.commands.send("stop")}
      >
        Stop sending
      </Button>
    </div>
  );
});
