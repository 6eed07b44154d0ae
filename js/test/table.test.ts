import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { corner, layout } from "../src/strip_layout";
import { ROW } from "../src/window";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(clear);

const rows = ({ view }: Mounted) => [...view.querySelectorAll<HTMLElement>("[role=row][data-job-id]")];
const active = ({ view }: Mounted) =>
  view.querySelector<HTMLElement>(".qjob-row[data-active]")?.dataset.jobId;

test("of 10,000 parts fewer than 60 rows exist, and the right ones after a scroll", async () => {
  const panel = await mount("D".repeat(10_000));
  const grid = panel.one("[role=grid]");
  expect(grid.getAttribute("aria-rowcount")).toBe("10001");
  expect(grid.clientHeight).toBeLessThanOrEqual(320);
  expect(rows(panel).length).toBeLessThan(60);
  grid.scrollTop = 5000 * ROW;
  await drawn();
  expect(rows(panel).length).toBeLessThan(60);
  const row = panel.one('[data-job-id="job-5003"]');
  expect(row.getAttribute("aria-rowindex")).toBe("5005");
  expect(row.offsetHeight).toBe(ROW);
  const top = row.getBoundingClientRect().top - grid.getBoundingClientRect().top;
  expect(top).toBeGreaterThan(0);
  expect(top).toBeLessThan(grid.clientHeight);
});

test("a row tells all it knows", async () => {
  const panel = await mount("DEQU");
  panel.view.style.width = "760px";
  await drawn();
  const texts = rows(panel).map((row) => [...row.children].map((cell) => cell.textContent));
  expect(texts).toEqual([
    ["0", "0–9", "job-0", "done", "–", "4.2 s", ""],
    ["1", "10–19", "job-1", "failed", "–", "4.2 s", "1500 calibration interrupted"],
    ["2", "20–29", "job-2", "queued", "3", "1 min", ""],
    ["3", "30–39", "not sent yet", "initializing", "–", "–", ""],
  ]);
});

test("seen times are marked", async () => {
  const panel = await mount("D", ({ summary }) => Object.assign(summary, { approximate: true }));
  expect(panel.one(".qjob-rows .qjob-elapsed").textContent).toBe("≈ 4.2 s");
});

test("lengths that disagree draw what both know", async () => {
  const panel = await mount("DDDD");
  panel.model.set({
    live: new DataView(panel.model.traits.live.buffer, 0, 8),
    times: new DataView(new ArrayBuffer(6)),
  });
  await drawn();
  expect(rows(panel)).toHaveLength(2);
  expect(panel.one(".qjob-rows .qjob-elapsed").textContent).toBe("–");
});

test("the keyboard moves the active row and the scroll follows it", async () => {
  const panel = await mount("D".repeat(200));
  const grid = panel.one("[role=grid]");
  grid.focus();
  const press = async (key: string) => {
    await userEvent.keyboard(`{${key}}`);
    await drawn();
    return active(panel);
  };
  expect(await press("ArrowDown")).toBe("job-0");
  expect(await press("ArrowDown")).toBe("job-1");
  expect(await press("ArrowUp")).toBe("job-0");
  expect(await press("PageDown")).toBe("job-9");
  expect(await press("End")).toBe("job-199");
  expect(grid.scrollTop).toBeGreaterThan(100 * ROW);
  const named = panel.one(`#${grid.getAttribute("aria-activedescendant")}`);
  expect(named.dataset.jobId).toBe("job-199");
  expect(await press("Home")).toBe("job-0");
  expect(grid.scrollTop).toBe(0);
  expect(panel.view.querySelectorAll('.qjob-grid [tabindex="0"]:not(.qjob-axis)')).toHaveLength(0);
});

test("Enter copies the id of the active row", async () => {
  const panel = await mount("DD");
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  panel.one("[role=grid]").focus();
  await userEvent.keyboard("{ArrowDown}");
  await drawn();
  await userEvent.keyboard("{Enter}");
  await drawn();
  expect(write).toHaveBeenCalledWith("job-0");
  write.mockRestore();
});

test("the copy button copies, and says that it did", async () => {
  const panel = await mount("DD");
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  panel.one<HTMLButtonElement>('[data-job-id="job-1"] button').click();
  await drawn();
  expect(write).toHaveBeenCalledWith("job-1");
  expect(panel.one('[data-job-id="job-1"] button').getAttribute("aria-label")).toBe("Copied");
  write.mockRestore();
});

test("two views share the active row, and a third starts where the last was scrolled to", async () => {
  const panel = await mount("D".repeat(200));
  const second = panel.again();
  await drawn();
  panel.one("[role=grid]").focus();
  await userEvent.keyboard("{End}");
  await drawn();
  expect(active({ view: second.view } as Mounted)).toBe("job-199");
  const third = panel.again();
  await drawn();
  expect(third.view.querySelector("[role=grid]")?.scrollTop).toBeGreaterThan(100 * ROW);
});

test("pointing at a cell of the strip names it; a click leads to its row", async () => {
  const panel = await mount(`${"D".repeat(150)}E${"D".repeat(49)}`);
  const canvas = panel.one<HTMLCanvasElement>("canvas");
  const place = layout(200, canvas.parentElement?.clientWidth ?? 0);
  const { x, y } = corner(150, place);
  const { left, top } = canvas.getBoundingClientRect();
  const at = { clientX: left + x + 3, clientY: top + y + 3, bubbles: true };
  canvas.dispatchEvent(new PointerEvent("pointermove", at));
  await drawn();
  expect(panel.one(".qjob-card b").textContent).toBe("#150 · circuits 1500–1509 · failed");
  canvas.parentElement?.dispatchEvent(new PointerEvent("pointerleave", at));
  canvas.dispatchEvent(new MouseEvent("click", at));
  await drawn();
  expect(panel.view.querySelector(".qjob-card")).toBeNull();
  expect(active(panel)).toBe("job-150");
});

test("out of view only counts and status are drawn, and rarely; back in view all is true", async () => {
  const panel = await mount("QQ");
  panel.view.style.marginTop = "5000px";
  await new Promise((resolve) => setTimeout(resolve, 100));
  const root = panel.one(".qjob-panel");
  const seen: string[] = [];
  const observer = new MutationObserver((records) => {
    for (const { target, attributeName } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      // What counts as zero is hidden and no stop of a key; the one voice speaks wherever the panel is.
      if (["data-zero", "tabindex"].includes(String(attributeName)) || element?.closest("[aria-live]"))
        continue;
      seen.push(element?.closest("[data-count]") ? "count" : `${attributeName} of ${element?.className}`);
    }
  });
  observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
  const live = new DataView(new Uint8Array([6, 1, 0, 0, 6, 1, 0, 0]).buffer);
  panel.model.set({ live });
  const { counts } = panel.model.traits.summary;
  const begun = performance.now();
  for (let done = 1; done <= 6; done++) {
    panel.model.beat({ status: "RUNNING", counts: { ...counts, DONE: done, QUEUED: 0 } });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const rounds = Math.ceil((performance.now() - begun) / 1000) + 1;
  await vi.waitFor(() => expect(panel.one("[data-count=DONE]").textContent).toBe("6"), 5000);
  await vi.waitFor(() => expect(root.dataset.status).toBe("RUNNING"), 5000);
  const counted = seen.filter((change) => change === "count").length;
  // Two counts change the first time, one the next times.
  expect(counted).toBeGreaterThan(1);
  expect(counted).toBeLessThanOrEqual(rounds + 1);
  expect([...new Set(seen)].sort()).toEqual(["count", "data-status of qjob qjob-panel"]);

  observer.disconnect();
  const status = () => panel.one('[data-job-id="job-0"]').dataset.status;
  expect(status()).toBe("QUEUED");
  expect(panel.one(".qjob-number").textContent).toContain("0 of 2 done");
  panel.view.style.marginTop = "";
  await vi.waitFor(() => expect(status()).toBe("DONE"));
  expect(panel.one(".qjob-number").textContent).toContain("6 of 2 done");
});

test("what has the keyboard is drawn also out of view", async () => {
  const panel = await mount("QQ");
  panel.one(".qjob-search").focus();
  panel.view.style.marginTop = "5000px";
  await new Promise((resolve) => setTimeout(resolve, 100));
  panel.model.beat({ counts: { ...panel.model.traits.summary.counts, DONE: 1 } });
  await drawn();
  expect(panel.one(".qjob-number").textContent).toContain("1 of 2 done");
});
