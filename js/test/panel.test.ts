import { afterEach, expect, test } from "vitest";
import { STATUSES } from "../src/protocol";
import { traits } from "./fake_model";
import { clear, drawn, mount } from "./mounted";

afterEach(clear);

test("the headline, the stable hooks and all seven counts", async () => {
  const { one, view, model } = await mount("DDEQQU");
  const root = one(".qjob-panel");
  expect([root.dataset.jobId, root.dataset.status]).toEqual([model.traits.meta.id, "INITIALIZING"]);
  expect(one(".qjob-headline").textContent).toBe(
    "Ising sweepinitializing2 of 6 done · 20 of 60 circuitslocal_manila · QPU 8.4 s · updated just now",
  );
  const counts = STATUSES.map((status) => one(`[data-count=${status}]`).textContent);
  expect(counts).toEqual(["1", "0", "2", "0", "1", "0", "2"]);
  const shown = [...view.querySelectorAll<HTMLElement>("[data-count]")].filter((count) => count.offsetParent);
  expect(shown.map((count) => count.dataset.count)).toEqual(["DONE", "ERROR", "QUEUED", "INITIALIZING"]);
  expect(one("[role=progressbar]").getAttribute("aria-valuenow")).toBe("2");
  expect(one(".qjob-failed").textContent).toBe(
    "1 failed“calibration interrupted” (1500) · circuits 20–29 Show\u00a0",
  );
});

test("a new summary is drawn", async () => {
  const { one, model } = await mount("DQ");
  const next = traits("DD");
  model.set({ live: next.live, times: next.times, summary: next.summary });
  await drawn();
  expect(one(".qjob-panel").dataset.status).toBe("DONE");
  expect(one("[data-count=DONE]").textContent).toBe("2");
  expect(one('[role=row][data-job-id="job-1"]').dataset.status).toBe("DONE");
});

test("what the instance has left, the calibration, and the QPU seconds to come are told", async () => {
  const { one, model } = await mount("DRQ", ({ meta, summary }) => {
    meta.calibrated = summary.beat - 200 * 60_000;
    summary.cost = { used: 8.4, estimated: 12, left: 2400, limit: 6000 };
  });
  expect(one(".qjob-footer").innerText).toContain(
    "40 min of 1 h 40 min QPU time left · calibrated 3 h 20 min ago",
  );
  expect(one(".qjob-headline").innerText).toContain("QPU 8.4 s of about 12 s · ");
  // What has ended is not estimated any more.
  model.beat({ final: true });
  await drawn();
  expect(one(".qjob-headline").innerText).toContain("QPU 8.4 s · ");
});

test("failing questions are told with their error", async () => {
  const { one } = await mount("DQ", ({ summary }) =>
    Object.assign(summary, { failures: 3, error: "503 Service Unavailable" }),
  );
  expect(one(".qjob-fresh").textContent).toBe("retrying, 3rd time, updated just now");
  expect(one(".qjob-fresh").title).toBe("503 Service Unavailable");
  expect(one(".qjob-why").textContent).toContain("503 Service Unavailable");
});

test("a single job is not counted in parts", async () => {
  const { one, view } = await mount("R", ({ meta, summary }) => {
    Object.assign(meta, { kind: "job", name: null, id: "d57e7860d82774bca945", start: [], end: [] });
    Object.assign(summary, { circuits: 0, done_circuits: 0, why: "Running" });
  });
  expect(one(".qjob-name").textContent).toBe("d57e7860d82774bca945");
  expect(one(".qjob-number").textContent).toBe("");
  expect(view.querySelector(".qjob-strip")).toBeNull();
  // Nothing is said twice: neither its id, nor that it runs.
  expect(view.textContent?.match(/d57e7860d82774bca945/g)).toHaveLength(1);
  expect(one(".qjob-why").textContent).toBe("");
  expect(one('[aria-label="Copy job id d57e7860d82774bca945"]')).toBeTruthy();
  expect(one("[role=row][data-status]").textContent).toContain("running");
});

test("nothing to watch is not called finished", async () => {
  const { one, view } = await mount("");
  expect(one(".qjob-status").textContent).toBe("empty");
  expect(one(".qjob-fresh").textContent).toBe("nothing to watch");
  expect(view.querySelector(".qjob-bars")).toBeNull();
});

test("large counts are shown in groups of digits, and kept as plain numbers", async () => {
  const { one } = await mount("DE", ({ summary }) => {
    Object.assign(summary, { rerunnable: 12_345, counts: { ...summary.counts, ERROR: 12_345 } });
  });
  expect(one("[data-count=ERROR]").textContent).toBe("12345");
  expect(one("[data-count=ERROR]").clientWidth).toBeLessThan(2);
  expect(one(".qjob-count[data-status=ERROR] [aria-hidden]").textContent).toBe("12,345");
  expect(one(".qjob-main").textContent).toBe("Rerun failed (12,345)");
});

test("foreign text is text", async () => {
  const hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const { view, one } = await mount("EQ", ({ meta, summary, reasons }) => {
    reasons.texts = [{ code: null, text: hostile }];
    Object.assign(meta, { name: hostile, backend: hostile, tags: [hostile], words: { 1: hostile } });
    Object.assign(meta, { ids: [hostile, hostile], id: hostile });
    Object.assign(meta, { twin: `"]{}*{display:none}${hostile}`, labels: [hostile, hostile] });
    Object.assign(summary, { why: hostile, word: hostile, error: hostile, failures: 1 });
    Object.assign(summary, { sending: { left: 1, total: 2, seconds: 1, trouble: hostile } });
  });
  view.querySelector<HTMLElement>(".qjob-strip")?.focus();
  one('[aria-label="Edit tags"]').click();
  await drawn();
  expect(view.querySelector("img, script")).toBeNull();
  expect((window as { hacked?: number }).hacked).toBeUndefined();
  expect(one(".qjob-tag").textContent).toBe(hostile);
  expect(one(".qjob-rows .qjob-label").textContent).toBe(hostile);
  expect(one(".qjob-sending").textContent).toContain(hostile);
  expect(one(".qjob-strip [role=option]").textContent).toContain(hostile);
  expect(one(".qjob-panel").offsetHeight).toBeGreaterThan(0);
});

test("nothing is drawn before Python has written its traits, and all after", async () => {
  const { view, model } = await mount("D", (all) =>
    Object.assign(all, { meta: {}, summary: {}, live: null }),
  );
  expect(view.textContent).toBe("");
  model.set(traits("DQ"));
  await drawn();
  expect(view.querySelectorAll("[role=row][data-status]")).toHaveLength(2);
});

test("the static twin is hidden while a view lives, and shown again after the last", async () => {
  const twin = document.createElement("div");
  twin.dataset.qjobTwin = "twin-1";
  const { close, again } = await mount("D");
  document.body.append(twin);
  expect(getComputedStyle(twin).display).toBe("none");
  const second = again();
  close();
  await drawn();
  expect(getComputedStyle(twin).display).toBe("none");
  second.close();
  expect(getComputedStyle(twin).display).toBe("block");
});

test("a view that has gone leaves nothing behind, and a model no listener", async () => {
  const { view, close, model } = await mount("DQ");
  close();
  expect(view.childElementCount).toBe(0);
  clear();
  expect([...model.listeners.values()].reduce((sum, { size }) => sum + size, 0)).toBe(0);
});

test("every element that can have the focus keeps its keys from the notebook", async () => {
  const { view, button } = await mount("DEQ");
  button("Cancel").click();
  await drawn();
  const focusable = [...view.querySelectorAll<HTMLElement>("*")].filter((element) => element.tabIndex >= 0);
  expect(focusable.length).toBeGreaterThan(3);
  for (const element of [...focusable, ...view.querySelectorAll("button")]) {
    expect(element.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  }
});

test("the style sheet touches nothing but the panel", async () => {
  await mount("D");
  const inside = (rules: CSSRuleList): string[] =>
    [...rules].flatMap((rule) => {
      if (rule instanceof CSSStyleRule) return rule.selectorText.split(",");
      return rule instanceof CSSGroupingRule ? inside(rule.cssRules) : [];
    });
  const selectors = [...document.styleSheets]
    .flatMap((sheet) => inside(sheet.cssRules))
    .filter((selector) => !selector.includes("data-qjob-twin"));
  const ours = selectors.filter((selector) => /qjob/.test(selector));
  expect(ours.length).toBeGreaterThan(50);
  // A host may say how dark it is; and the white that VS Code puts behind a widget is not the panel's.
  const known = /^\.qjob\b| \.qjob$|^\.cell-output-ipywidget-background:has\(\.qjob\)$/;
  expect(ours.filter((selector) => !known.test(selector.trim()))).toEqual([]);
});

test("light and dark give the strip other colours, without a reload", async () => {
  const { one } = await mount("DDD");
  const canvas = one<HTMLCanvasElement>("canvas");
  const pixel = () => canvas.getContext("2d")?.getImageData(4, 4, 1, 1).data.join();
  const light = pixel();
  expect(light).not.toBe("0,0,0,0");
  document.body.style.colorScheme = "dark";
  document.body.dataset.jpThemeLight = "false";
  await drawn();
  expect(pixel()).not.toBe(light);
  document.body.style.colorScheme = "";
  delete document.body.dataset.jpThemeLight;
});
