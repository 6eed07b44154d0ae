import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { step } from "../src/window";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(clear);

const option = ({ one }: Mounted) => one(".qjob-strip [role=option]");

test("keys move over cells and rows of cells and stay on the strip", () => {
  const keys = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "x"];
  expect(keys.map((key) => step(key, 45, 100, 20))).toEqual([46, 44, 65, 25, 99, 0, 0, 99, null]);
  expect(step("ArrowDown", 0, 0, 20)).toBeNull();
  expect(step("ArrowRight", 0, 10)).toBeNull();
});

test("to a screen reader it is a list with one option, which says all of its part", async () => {
  const panel = await mount("DEQ", ({ meta }) => {
    meta.labels = ["a", "θ = 0.5", "c"];
  });
  panel.one(".qjob-strip").focus();
  await userEvent.keyboard("{ArrowRight}");
  await drawn();
  const { textContent, ariaPosInSet, ariaSetSize, id } = option(panel);
  expect([ariaPosInSet, ariaSetSize]).toEqual(["2", "3"]);
  expect(panel.one(".qjob-strip").getAttribute("aria-activedescendant")).toBe(id);
  expect(textContent).toMatch(/^#1 · circuits 10–19 · failed, θ = 0\.5, Job job-1, Created .*interrupted$/);
});

test("the cursor shows a card, Escape takes it away, Enter leads to the row, space selects", async () => {
  const panel = await mount("DEQQ");
  panel.one(".qjob-strip").focus();
  await userEvent.keyboard("{End}");
  await drawn();
  expect(panel.one(".qjob-card").textContent).toContain("#3 · circuits 30–39 · queued");
  expect(panel.one(".qjob-card").textContent).toContain("Queue4");
  await userEvent.keyboard("{Escape}");
  await drawn();
  expect(panel.view.querySelector(".qjob-card")).toBeNull();
  await userEvent.keyboard("{ArrowLeft}{Enter} ");
  await drawn();
  expect(panel.one(".qjob-row[data-active]").dataset.jobId).toBe("job-2");
  expect(panel.one(".qjob-rows [aria-selected=true]").dataset.jobId).toBe("job-2");
  expect(option(panel).ariaSelected).toBe("true");
});

test("a card that stays open asks for the circuits once, and shows them as text", async () => {
  const panel = await mount("DE");
  panel.one(".qjob-strip").focus();
  await userEvent.keyboard("{ArrowRight}");
  await drawn();
  expect(panel.model.sent).toEqual([]);
  await vi.waitFor(() => expect(panel.model.sent).toMatchObject([{ op: "circuits", row: 1 }]));
  const circuit = (theta: string) => ({ name: "<b>ising</b>", parameters: { θ: theta } });
  panel.model.settle(true, "", ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"].map(circuit));
  await drawn();
  const lines = [...panel.view.querySelectorAll(".qjob-card code")].map(({ textContent }) => textContent);
  expect(lines).toEqual([0.1, 0.2, 0.3, 0.4].map((theta) => `<b>ising</b>  θ = ${theta}`));
  expect(panel.one(".qjob-card").textContent).toContain("and 2 more circuits");
  expect(panel.one(".qjob-message").textContent).toBe("");
  // Front ends cut off what stands out of a panel.
  const [card, whole] = [panel.one(".qjob-card"), panel.view].map((each) => each.getBoundingClientRect());
  expect(card?.bottom).toBeLessThanOrEqual(whole?.bottom ?? 0);
  expect(card?.top).toBeGreaterThanOrEqual(whole?.top ?? 0);
  await userEvent.keyboard("{ArrowLeft}{ArrowRight}");
  await new Promise((resolve) => setTimeout(resolve, 350));
  expect(panel.model.sent.filter(({ row }) => row === 1)).toHaveLength(1);
});
