import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clear, drawn, type Mounted, mount } from "./mounted";

// Frames stay real: only waiting is made short.
const FAKED = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] as const;
beforeEach(() => vi.useFakeTimers({ toFake: [...FAKED] }));
afterEach(async () => {
  clear();
  // Preact waits for the timer that it has set: one that is taken away would stop its effects for good.
  await pass(50);
  vi.useRealTimers();
});

const BUSY = "The kernel is busy: Refresh will run when the running cell has finished.";
const message = ({ one }: Mounted) => one(".qjob-message").textContent;

/** What of the buttons works: what needs nobody else. */
const works = ({ view }: Mounted) =>
  [...view.querySelectorAll(".qjob-actions button:enabled")].map(
    (button) => button.getAttribute("aria-label") ?? button.textContent,
  );

async function pass(milliseconds: number): Promise<void> {
  vi.advanceTimersByTime(milliseconds);
  await drawn();
}

test("a click is pending at once, in every view, and two clicks are one command", async () => {
  const panel = await mount("DRQ");
  const { view } = panel.again();
  await drawn();
  panel.button("Refresh").click();
  panel.button("Refresh").click();
  await drawn();
  expect(panel.model.sent.map(({ op }) => op)).toEqual(["refresh"]);
  const both = [panel.view, view].flatMap((root) => [...root.querySelectorAll("button[aria-busy]")]);
  expect(both.map((button) => [button.textContent, (button as HTMLButtonElement).disabled])).toEqual([
    ["Refresh", true],
    ["Refresh", true],
  ]);
});

test("busy hint after 1.5 s, gone with the acknowledgement, then what came of it", async () => {
  const panel = await mount("DRQ");
  panel.button("Refresh").click();
  await pass(1400);
  expect(message(panel)).toBe("");
  await pass(200);
  expect(message(panel)).toBe(BUSY);
  const request = panel.model.sent[0]?.request;
  panel.model.emit("msg:custom", { request, phase: "ack" });
  await drawn();
  expect(message(panel)).toBe("");
  expect(panel.button("Refresh").disabled).toBe(true);
  panel.model.emit("msg:custom", { request, phase: "settled", ok: true, text: "Asked again." });
  await drawn();
  expect(message(panel)).toBe("Asked again.");
  expect(panel.button("Refresh").disabled).toBe(false);
  await pass(7000);
  expect(message(panel)).toBe("");
});

test("an error stays until the next action", async () => {
  const panel = await mount("DEQ");
  panel.button("Rerun failed (1)").click();
  const request = panel.model.sent[0]?.request;
  panel.model.emit("msg:custom", { request, phase: "settled", ok: false, text: "Not sent: no service." });
  await pass(10_000);
  expect(message(panel)).toBe("Not sent: no service.");
  panel.button("Refresh").click();
  await drawn();
  expect(message(panel)).toBe("");
});

test("the answer to another page's command changes nothing", async () => {
  const panel = await mount("DRQ");
  panel.button("Refresh").click();
  panel.model.emit("msg:custom", { request: "theirs", phase: "settled", ok: true, text: "theirs" });
  await drawn();
  expect(message(panel)).toBe("");
  expect(panel.button("Refresh").disabled).toBe(true);
});

test("no heartbeat for 15 s is no contact, and a new one brings all back", async () => {
  const panel = await mount("DRQ");
  await pass(14_000);
  expect(panel.one(".qjob-fresh").textContent).toBe("updated 14 s ago");
  await pass(2000);
  expect(panel.one(".qjob-fresh").textContent).toMatch(/^as of \d\d:\d\d:\d\d, no contact with the kernel$/);
  expect(panel.one(".qjob-panel").hasAttribute("data-lost")).toBe(true);
  expect(works(panel)).toEqual(["More", "Timeline"]);
  panel.model.beat();
  await drawn();
  expect(panel.one(".qjob-fresh").textContent).toBe("updated just now");
  expect(panel.button("Refresh").disabled).toBe(false);
});

test("what went well is told no more when all is over, a refusal until it is dismissed", async () => {
  const panel = await mount("DRQ");
  const answered = async (ok: boolean, text: string) => {
    panel.button("Refresh").click();
    panel.model.settle(ok, text);
    await drawn();
    return message(panel);
  };
  expect(await answered(true, "Cancel sent for 2 sub-jobs.")).toBe("Cancel sent for 2 sub-jobs.");
  panel.model.beat({ final: true });
  await drawn();
  expect(message(panel)).toBe("");
  expect(await answered(false, "Refused.")).toBe("Refused.");
  panel.model.beat({ final: false });
  panel.model.beat({ final: true });
  await drawn();
  expect(message(panel)).toBe("Refused.");
  panel.one('[aria-label="Dismiss"]').click();
  await drawn();
  expect(message(panel)).toBe("");
});

test("a click is answered, and nothing thrown, where the kernel that knew the panel has gone", async () => {
  const panel = await mount("DRQ");
  panel.model.send = () => {
    throw new Error("Cannot send");
  };
  panel.button("Refresh").click();
  await drawn();
  expect(message(panel)).toBe("There is no contact with the kernel.");
  expect(panel.button("Refresh").disabled).toBe(false);
  panel.close();
});

test("elapsed times of open parts tick, and stand still without contact", async () => {
  const panel = await mount("DRQ");
  const elapsed = () => panel.one('[aria-rowindex="3"] .qjob-elapsed').textContent;
  expect(elapsed()).toBe("1 min");
  await pass(5000);
  expect(elapsed()).toBe("1 min 5 s");
  panel.model.beat();
  await pass(20_000);
  expect(elapsed()).toBe("1 min 5 s");
});

test("a finished panel needs no heartbeat", async () => {
  const panel = await mount("DDD");
  await pass(60_000);
  expect(panel.one(".qjob-fresh").textContent).toBe("finished");
  expect(panel.button("Refresh").disabled).toBe(false);
});

test("without a heartbeat a kernel that has gone is not taken for a busy one", async () => {
  const panel = await mount("DDD");
  panel.button("Refresh").click();
  await pass(1600);
  expect(message(panel)).toBe(`${BUSY} If the kernel was restarted, run this cell again.`);
});

test("a stopped panel says so and offers nothing", async () => {
  const panel = await mount("DRE");
  panel.model.beat({ closed: true });
  await pass(60_000);
  expect(panel.one(".qjob-fresh").textContent).toBe("stopped");
  expect(works(panel)).toEqual(["More", "Timeline"]);
});

test("changes of state are announced, at most one in 5 s, the end at once", async () => {
  const panel = await mount("QQ");
  const said = () => panel.one("[aria-live=polite]").textContent;
  expect(said()).toBe("");
  panel.model.beat({ status: "RUNNING", word: "running" });
  await pass(50);
  await pass(50);
  expect(said()).toMatch(/^Ising sweep: running\./);
  panel.model.beat({ status: "QUEUED", word: "queued again" });
  await pass(1000);
  expect(said()).toMatch(/: running\./);
  await pass(5000);
  await pass(50);
  expect(said()).toMatch(/: queued again\./);
  panel.model.beat({ status: "DONE", word: "done", final: true });
  await pass(50);
  await pass(50);
  expect(said()).toMatch(/^Ising sweep finished: /);
});
