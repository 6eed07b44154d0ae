import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(clear);

const labelled = ({ one }: Mounted, label: string) => one<HTMLButtonElement>(`[aria-label="${label}"]`);
const message = ({ one }: Mounted) => one(".qjob-message").textContent;

async function opened(panel: Mounted): Promise<Mounted> {
  labelled(panel, "More").click();
  await drawn();
  return panel;
}

test("the choice of a rerun stands behind it, where there is one", async () => {
  const plain = await mount("DEE");
  expect(plain.view.querySelector('[aria-label="Choose what to rerun"]')).toBeNull();
  const panel = await mount("ECED", ({ summary }) => {
    summary.rerunnable_by = { ERROR: 1, CANCELLED: 1, UNSENT: 1 };
  });
  labelled(panel, "Choose what to rerun").click();
  await drawn();
  panel.button("Never sent only (1)").click();
  await drawn();
  expect(panel.model.sent).toMatchObject([{ op: "rerun", states: ["UNSENT"] }]);
  expect(panel.one(".qjob-menu").hidden).toBe(true);
  panel.button("Rerun failed (3)").click();
  expect(panel.model.sent.map(({ states }) => states)).toEqual([["UNSENT"], undefined]);
});

test("the paced queue is seen, with its end, its trouble and how to stop it", async () => {
  const panel = await mount("UUUD", ({ summary }) => {
    summary.why = "Sending 3 of 4 · 1 running";
    summary.sending = { left: 200, total: 1200, seconds: 240, trouble: "429, waiting" };
  });
  expect(panel.one(".qjob-sending span").textContent).toBe(
    "200 of 1,200 still to send, about 4 min to go · 429, waiting",
  );
  expect(panel.one(".qjob-why").textContent).toBe("1 running");
  const stop = panel.button("Stop sending");
  stop.click();
  stop.click();
  await drawn();
  expect(panel.model.sent.map(({ op }) => op)).toEqual(["stop"]);
  panel.model.settle(true, "200 sub-jobs will not be sent.");
  panel.model.beat({ sending: null });
  await drawn();
  expect(message(panel)).toBe("200 sub-jobs will not be sent.");
  expect(panel.view.querySelector(".qjob-sending")).toBeNull();
});

test("Pause becomes Resume, and freshness says it", async () => {
  const panel = await mount("DQ");
  panel.button("Pause").click();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "pause", on: true });
  panel.model.beat({ paused: true });
  await drawn();
  expect(panel.one(".qjob-fresh").textContent).toBe("paused, updated just now");
  panel.button("Resume").click();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "pause", on: false });
});

test("what a job does not offer is not shown", async () => {
  const panel = await mount("DQ", ({ meta }) => {
    meta.can = { cancel: false, rerun: false, refresh: true };
    meta.tags = [];
  });
  const names = [...panel.view.querySelectorAll("button:not([role])")].map(
    (button) => button.getAttribute("aria-label") ?? button.textContent,
  );
  expect(names).not.toContain("Pause");
  expect(names).not.toContain("Freeze");
  expect(names).not.toContain("Edit tags");
  expect(panel.button("Cancel").title).toBe("This job offers no way to cancel it.");
});

test("the report is copied when it has come, and a refusal is told", async () => {
  const panel = await opened(await mount("DQ"));
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  panel.button("Copy report").click();
  await drawn();
  panel.model.settle(true, "", "Total jobs: 2");
  await vi.waitFor(() => expect(message(panel)).toBe("Report copied."));
  expect(write).toHaveBeenCalledWith("Total jobs: 2");
  write.mockRejectedValue(new Error("no"));
  const old = vi.spyOn(document, "execCommand").mockReturnValue(false);
  panel.button("Copy report").click();
  await drawn();
  panel.model.settle(true, "", "Total jobs: 2");
  await vi.waitFor(() => expect(message(panel)).toContain("job.report()"));
  write.mockRestore();
  old.mockRestore();
});

test("Freeze is asked once from two views, and a refusal is in the service's own words", async () => {
  const panel = await mount("DQ");
  const second = panel.again();
  await drawn();
  for (const view of [panel.view, second.view])
    for (const button of view.querySelectorAll<HTMLButtonElement>(".qjob-actions > button"))
      if (button.textContent === "Freeze") button.click();
  expect(panel.model.sent.map(({ op }) => op)).toEqual(["freeze"]);
  panel.model.settle(false, "Not frozen: the kernel is going.");
  await drawn();
  expect(message(panel)).toBe("Not frozen: the kernel is going.");
  expect(panel.one("[aria-live]").textContent).toBe("Not frozen: the kernel is going.");
});

test("the same operation about other parts is another action", async () => {
  const panel = await mount("QQQ");
  const cancel = async (part: number) => {
    panel.one(`[data-job-id="job-${part}"]`).click();
    await drawn();
    panel.button("Cancel 1 selected").click();
    await drawn();
    panel.one("[data-confirm]").click();
    await drawn();
  };
  await cancel(0);
  await cancel(1);
  expect(panel.model.sent.map(({ rows }) => rows)).toEqual([[0], [1]]);
});

test("the actions are one stop of Tab; arrows lead from one to the next", async () => {
  const panel = await mount("DEQ");
  const stops = [...panel.view.querySelectorAll<HTMLElement>(".qjob-actions button:enabled")].filter(
    (button) => button.tabIndex === 0 && button.offsetParent,
  );
  expect(stops).toHaveLength(1);
  panel.button("Rerun failed (1)").focus();
  await userEvent.keyboard("{ArrowRight}");
  expect(document.activeElement).toBe(panel.button("Cancel"));
  await userEvent.keyboard("{End}");
  expect(document.activeElement).toBe(labelled(panel, "More"));
  await userEvent.keyboard("{ArrowRight}");
  expect(document.activeElement).toBe(panel.button("Rerun failed (1)"));
});

test("More opens and closes by keys, and gives the focus back", async () => {
  const panel = await mount("DQ");
  labelled(panel, "More").focus();
  await userEvent.keyboard("{ArrowDown}");
  await drawn();
  expect(document.activeElement?.textContent).toBe("Timeline");
  await userEvent.keyboard("{ArrowDown}");
  expect(document.activeElement?.textContent).toBe("Notify me");
  await userEvent.keyboard("{Escape}");
  await drawn();
  expect(document.activeElement).toBe(labelled(panel, "More"));
  expect(labelled(panel, "More").getAttribute("aria-expanded")).toBe("false");
});

test("Notify me marks the title when all has ended, until the reader is back; off by default", async () => {
  const title = document.title;
  const end = (panel: Mounted) => panel.model.beat({ final: true, status: "DONE", open: 0 });
  const quiet = await mount("DQ");
  end(quiet);
  expect(document.title).toBe(title);
  const panel = await opened(await mount("DQ"));
  panel.button("Notify me").click();
  await drawn();
  expect(panel.button("Notify me").getAttribute("aria-pressed")).toBe("true");
  end(panel);
  expect(document.title).toBe(`(✓) ${title}`);
  document.title = "● changed"; // as a page does whose notebook has changed
  await drawn();
  expect(document.title).toBe("(✓) ● changed");
  window.dispatchEvent(new Event("focus"));
  expect(document.title).toBe("● changed");
  document.title = title;
  await drawn();
  expect(document.title).toBe(title);
});

test("Notify me asks for permission at the click only, and says what failed", async () => {
  const shown: string[] = [];
  class Fake {
    static permission = "default";
    static requestPermission = vi.fn(async () => {
      Fake.permission = "granted";
      return "granted";
    });
    constructor(text: string, { body }: { body: string }) {
      shown.push(`${text}: ${body}`);
    }
  }
  vi.stubGlobal("Notification", Fake);
  const panel = await opened(await mount("QQ"));
  expect(Fake.requestPermission).not.toHaveBeenCalled();
  panel.button("Notify me").click();
  await drawn();
  expect(Fake.requestPermission).toHaveBeenCalledTimes(1);
  const { counts } = panel.model.traits.summary;
  panel.model.beat({ counts: { ...counts, QUEUED: 1, ERROR: 1 } });
  panel.model.beat({ counts: { ...counts, QUEUED: 0, ERROR: 2 } });
  expect(shown).toEqual(["Ising sweep has failures: 1 failed, 1 queued"]);
  vi.unstubAllGlobals();
  window.dispatchEvent(new Event("focus"));
});

test("the page tells Python when its first view opens and its last one closes", async () => {
  const panel = await mount("DQ");
  const second = panel.again();
  panel.close();
  expect(panel.model.views.map(({ open }) => open)).toEqual([true]);
  second.close();
  expect(panel.model.views.map(({ open }) => open)).toEqual([true, false]);
});

test("a view that opens after a long silence gives the kernel time to speak", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const panel = await mount("DQ");
  panel.close();
  vi.setSystemTime(Date.now() + 60_000);
  const { view } = panel.again();
  await drawn();
  expect(view.querySelector(".qjob-panel")?.hasAttribute("data-lost")).toBe(false);
  vi.useRealTimers();
});
