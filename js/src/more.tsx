import { h } from "preact";
import { Button } from "./button";
import { copy } from "./copy";
import { obstacle } from "./obstacle";
import { Popup } from "./popup";
import type { Store } from "./store";
import { tracked } from "./tracked";

/** Asks Python for the report and puts it on the clipboard. */
async function copyReport({ commands }: Store): Promise<void> {
  const { ok, data } = await commands.send("report");
  if (!ok) return;
  const copied = await copy(String(data ?? ""));
  commands.tell({
    ok: copied,
    text: copied ? "Report copied." : "The browser forbids copying; job.report() prints the same.",
  });
}

/** What is not needed every day. */
export const More = tracked(({ store }: { store: Store }) => {
  const { reading, notifier, commands } = store;
  const { can, total, kind } = store.meta.value;
  const why = obstacle(store, "report");
  return (
    <Popup face="⋯" label="More">
      {total > 0 && kind !== "table" && (
        <Button
          pressed={reading.charted.value}
          onPress={() => {
            reading.timeline.value = !reading.charted.value;
          }}
        >
          Timeline
        </Button>
      )}
      <Button
        pressed={notifier.on.value}
        disabled={store.deaf.value}
        title="When something fails or all has ended"
        onPress={() => notifier.toggle()}
      >
        Notify me
      </Button>
      {can.report && (
        <Button
          disabled={why !== ""}
          title={why || undefined}
          pending={commands.isPending("report")}
          onPress={() => copyReport(store)}
        >
          Copy report
        </Button>
      )}
    </Popup>
  );
});
