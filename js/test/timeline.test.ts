import { afterEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { Parts } from "../src/parts";
import { moved, ticks, whole, zoomed } from "../src/timeline";
import { traits } from "./fake_model";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(clear);

const ALL = { from: 0, to: 100_000 };

test("the axis reaches from the first creation to the last end, or to now", () => {
  const ended = traits("DD");
  const at = ended.meta.created;
  expect(whole(new Parts(ended.meta, ended.live, ended.times), at + 90_000)).toEqual({
    from: at,
    to: at + 4200,
  });
  const open = traits("DQ");
  const until = open.meta.created + 90_000;
  expect(whole(new Parts(open.meta, open.live, open.times), until).to).toBe(until);
});

test("zoom keeps the place under the pointer and never leaves the axis", () => {
  expect(zoomed(ALL, ALL, 0.5, 0.5)).toEqual({ from: 25_000, to: 75_000 });
  expect(zoomed(ALL, ALL, 0.5, 0)).toEqual({ from: 0, to: 50_000 });
  expect(zoomed({ from: 0, to: 50_000 }, ALL, 4, 0.5)).toBeNull();
  expect(zoomed(ALL, ALL, 1e-9)).toEqual({ from: 49_500, to: 50_500 });
  expect(moved({ from: 0, to: 50_000 }, ALL, 0.2)).toEqual({ from: 10_000, to: 60_000 });
  expect(moved({ from: 40_000, to: 90_000 }, ALL, 1)).toEqual({ from: 50_000, to: 100_000 });
});

test("moments on the axis are round and not more than fit", () => {
  const noon = new Date(2026, 2, 4, 12, 0, 0).getTime();
  const texts = (length: number, width: number) =>
    ticks({ from: noon + 1, to: noon + length }, width).map(({ text }) => text);
  expect(texts(100_000, 300)).toEqual(["12:00:30", "12:01:00"]);
  expect(texts(4 * 3_600_000, 300)).toEqual(["13:00", "14:00"]);
  expect(texts(6 * 86_400_000, 300)).toEqual(["03-06", "03-08"]);
  expect(ticks(ALL, 0).length).toBeLessThan(3);
});

/** A panel that is wide enough for a timeline. */
async function shown(letters: string): Promise<Mounted> {
  const panel = await mount(letters);
  expect(panel.button("Timeline").ariaPressed).toBe("true");
  return panel;
}

/** The colours of the bar of a row at a share of its width. */
function ink({ one }: Mounted, row: number, share: number): string {
  const canvas = one<HTMLCanvasElement>(".qjob-bars");
  const x = Math.min(canvas.width - 1, Math.floor(canvas.width * share));
  const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
    x,
    Math.floor(((row + 0.5) * canvas.height) / 3),
    1,
    1,
  );
  return data.join();
}

test("it is there where nothing else has to go for it, and else when it is asked for", async () => {
  const panel = await mount("DRQ");
  const bars = () => panel.view.querySelector(".qjob-bars");
  expect(panel.one(".qjob-rows .qjob-timeline").textContent).toBe("waited 4.2 s");
  panel.view.style.width = "500px";
  await drawn();
  expect([bars(), panel.button("Timeline").ariaPressed]).toEqual([null, "false"]);
  panel.button("Timeline").click();
  await drawn();
  expect([bars() === null, panel.button("Timeline").ariaPressed]).toEqual([false, "true"]);
  panel.view.style.width = "";
  panel.button("Timeline").click();
  await drawn();
  expect([bars(), panel.button("Timeline").ariaPressed]).toEqual([null, "false"]);
});

test("what was asked for is there in every view", async () => {
  const panel = await mount("DRQ");
  panel.view.style.width = "500px";
  await drawn();
  panel.button("Timeline").click();
  const second = panel.again();
  await drawn();
  expect(second.view.querySelector(".qjob-bars")).not.toBeNull();
});

test("how to look closer is said on the axis", async () => {
  const panel = await shown("DRQ");
  const told = getComputedStyle(panel.one(".qjob-head .qjob-timeline"), "::after");
  const hint = () => told.visibility;
  expect(hint()).toBe("hidden");
  expect(told.pointerEvents).toBe("none"); // it covers rows
  panel.one(".qjob-grid").focus();
  await userEvent.keyboard("{Tab}");
  expect(document.activeElement?.className).toBe("qjob-axis");
  expect(hint()).toBe("visible");
});

test("bars lie beside their rows, in the order of the table", async () => {
  const panel = await shown("DQQ");
  const canvas = panel.one(".qjob-bars").getBoundingClientRect();
  const cell = panel.one(".qjob-rows .qjob-timeline").getBoundingClientRect();
  expect(Math.abs(canvas.left - cell.left)).toBeLessThan(2);
  expect(Math.abs(canvas.width - cell.width)).toBeLessThan(2);
  expect(Math.abs(canvas.top - cell.top)).toBeLessThan(28);
  expect([ink(panel, 0, 0.9), ink(panel, 1, 0.9)]).toEqual([ink(panel, 0, 0.5), ink(panel, 1, 0.5)]);
  expect(ink(panel, 0, 0.9)).not.toBe(ink(panel, 1, 0.9));
  const [track, waiting] = [ink(panel, 0, 0.9), ink(panel, 1, 0.9)];
  panel.one(".qjob-head .qjob-index").click();
  await drawn();
  expect([ink(panel, 0, 0.9), ink(panel, 2, 0.9)]).toEqual([waiting, track]);
});

test("what lies outside of the span is not drawn", async () => {
  const panel = await mount("DQQ", ({ times }) => times.setUint32(20, 500, true));
  const axis = panel.one(".qjob-axis");
  axis.focus();
  const before = ink(panel, 0, 0.002);
  for (const key of ["+", "+", "{ArrowRight}", "{ArrowRight}"]) await userEvent.keyboard(key);
  await drawn();
  expect(ink(panel, 0, 0.002)).toBe(ink(panel, 0, 0.5));
  expect(ink(panel, 0, 0.002)).not.toBe(before);
});

test("keys on the axis zoom, move and show all; the wheel zooms only there or with ctrl", async () => {
  const panel = await shown("DRQ");
  const axis = panel.one(".qjob-axis");
  const name = () => axis.getAttribute("aria-label");
  const all = name();
  axis.focus();
  const press = async (key: string) => {
    await userEvent.keyboard(key);
    await drawn();
    return name();
  };
  const near = await press("+");
  expect(near).not.toBe(all);
  expect(await press("{ArrowRight}")).not.toBe(near);
  expect(await press("0")).toBe(all);
  const canvas = panel.one(".qjob-bars");
  const { left, top, width } = canvas.getBoundingClientRect();
  const wheel = async (ctrlKey: boolean) => {
    const event = new WheelEvent("wheel", {
      deltaY: -1,
      clientX: left + width / 2,
      clientY: top + 5,
      ctrlKey,
      bubbles: true,
      cancelable: true,
    });
    panel.one(".qjob-rows").dispatchEvent(event);
    await drawn();
    return event.defaultPrevented;
  };
  axis.blur();
  expect([await wheel(false), name() === all]).toEqual([false, true]);
  expect([await wheel(true), name() === all]).toEqual([true, false]);
  axis.focus();
  await press("0");
  expect(await wheel(false)).toBe(true);
});

test("no clock of a narrow axis reaches the column's name", () => {
  for (const width of [120, 150, 180, 210, 400])
    for (const { at } of ticks({ from: 0, to: 7000 }, width))
      expect(at * width).toBeLessThanOrEqual(width - 110);
});
