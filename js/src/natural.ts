/** Texts in the order in which people expect them: what is a number counts by its value. Pure. */

const NUMBER = /(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\d+/g;
/** What of a text counts: its words, and so many numbers less one. */
const WIDTH = 5;

/** The place of each text among all of them; the same for equal ones, null for an empty one. */
export function ranks(texts: readonly string[]): (number | null)[] {
  const keys = new Float64Array(texts.length * WIDTH);
  const shapes = texts.map((text, at) => {
    let count = 0;
    return text.toLowerCase().replace(NUMBER, (digits) => {
      if (++count < WIDTH) keys[at * WIDTH + count] = Number(digits);
      return "\0";
    });
  });
  const places = new Map([...new Set(shapes)].sort().map((shape, place) => [shape, place]));
  shapes.forEach((shape, at) => {
    keys[at * WIDTH] = places.get(shape) ?? 0;
  });
  const compare = (one: number, other: number): number => {
    for (let at = 0; at < WIDTH; at++) {
      const apart = (keys[one * WIDTH + at] ?? 0) - (keys[other * WIDTH + at] ?? 0);
      if (apart) return apart;
    }
    return 0;
  };
  const found: (number | null)[] = [];
  let rank = 0;
  Uint32Array.from(texts.keys())
    .sort(compare)
    .forEach((text, at, order) => {
      if (at && compare(order[at - 1] ?? 0, text)) rank++;
      found[text] = texts[text] ? rank : null;
    });
  return found;
}
