import { expect, test, vi } from "vitest";
import { batch, computed, effect, signal } from "../src/signals";

test("an effect runs again when what it has read changes, and no longer once it is stopped", () => {
  const one = signal(1);
  const seen: number[] = [];
  const stop = effect(() => seen.push(one.value));
  one.value = 2;
  one.value = 2;
  stop();
  one.value = 3;
  expect(seen).toEqual([1, 2]);
});

test("what is computed is computed once a change, and only when it is read", () => {
  const one = signal(1);
  const compute = vi.fn(() => one.value * 2);
  const double = computed(compute);
  expect(compute).not.toHaveBeenCalled();
  const stop = effect(() => double.value + double.value);
  one.value = 2;
  expect([double.value, double.peek(), compute.mock.calls.length]).toEqual([4, 4, 2]);
  stop();
  one.value = 5;
  expect(compute).toHaveBeenCalledTimes(2);
  expect(double.value).toBe(10);
});

test("an effect rests when what was computed is the same value again", () => {
  const one = signal(1);
  const odd = computed(() => one.value % 2 === 1);
  const run = vi.fn(() => void odd.value);
  effect(run);
  one.value = 3;
  expect(run).toHaveBeenCalledTimes(1);
  one.value = 4;
  expect(run).toHaveBeenCalledTimes(2);
});

test("two ways to one change are one run, with values that belong together", () => {
  const one = signal(1);
  const [more, twice] = [computed(() => one.value + 1), computed(() => one.value * 2)];
  const seen: string[] = [];
  effect(() => seen.push(`${more.value} ${twice.value}`));
  one.value = 10;
  expect(seen).toEqual(["2 2", "11 20"]);
});

test("effects wait for the end of a batch, inner ones included", () => {
  const [one, other] = [signal(1), signal(1)];
  const seen: number[] = [];
  effect(() => seen.push(one.value + other.value));
  batch(() => {
    one.value = 2;
    batch(() => {
      other.value = 2;
    });
    expect(seen).toEqual([2]);
  });
  expect(seen).toEqual([2, 4]);
});

test("what is no longer read is no longer heard", () => {
  const [which, one] = [signal(true), signal(1)];
  const run = vi.fn(() => (which.value ? one.value : 0));
  effect(() => void run());
  which.value = false;
  one.value = 2;
  expect(run).toHaveBeenCalledTimes(2);
  which.value = true;
  one.value = 3;
  expect(run).toHaveBeenCalledTimes(4);
});

test("an effect is cleaned up before it runs again and when it is stopped", () => {
  const one = signal(1);
  const said: string[] = [];
  const stop = effect(() => {
    const mine = one.value;
    return () => said.push(`end of ${mine}`);
  });
  one.value = 2;
  expect(said).toEqual(["end of 1"]);
  stop();
  expect(said).toEqual(["end of 1", "end of 2"]);
});

test("an effect that changes what another one reads is heard, once each", () => {
  const [one, other] = [signal(1), signal(0)];
  const seen: number[] = [];
  effect(() => {
    other.value = one.value * 10;
  });
  effect(() => seen.push(other.value));
  one.value = 2;
  expect(seen).toEqual([10, 20]);
});

test("an error in one run leaves the rest at work", () => {
  const one = signal(1);
  const inverse = computed(() => {
    if (one.value === 0) throw new Error("nothing");
    return 1 / one.value;
  });
  one.value = 0;
  expect(() => inverse.value).toThrow("nothing");
  one.value = 4;
  expect(inverse.value).toBe(0.25);
});
