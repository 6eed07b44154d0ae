import type { Parts } from "./parts";
import { corner, type Layout } from "./strip_layout";

/** How a cell looks, in the order of the states. Each differs from the others in shape, not only in colour. */
const LOOKS = ["unsent", "starting", "queued", "running", "failed", "cancelled", "done"] as const;
type Look = (typeof LOOKS)[number];
export type Inks = Record<Look | "ground" | "track", string>;

/** The theme's colours as a canvas understands them: light-dark() and var() resolved. */
export function readInks(canvas: HTMLCanvasElement): Inks {
  const entries = [...LOOKS, "ground", "track"].map((look) => {
    canvas.style.color = `var(--qjob-${look})`;
    return [look, getComputedStyle(canvas).color];
  });
  return Object.fromEntries(entries) as Inks;
}

/** The number of a part's look. What was sent and has no state yet is starting. */
const numberOf = (parts: Parts, part: number): number => parts.code(part) || (parts.attempt(part) ? 1 : 0);

export const lookOf = (parts: Parts, part: number): Look => LOOKS[numberOf(parts, part)] ?? "unsent";

/** Cells of fewer pixels across have sharp corners. */
const ROUND = 5;
type Pen = CanvasRenderingContext2D;
type Shape = (pen: Pen, x: number, y: number, width: number, height: number) => void;

const whole: Shape = (pen, x, y, width, height) =>
  width < ROUND ? pen.rect(x, y, width, height) : pen.roundRect(x, y, width, height, 2);
/** A frame one pixel wide, as the space between two rectangles of opposite direction. */
const frame: Shape = (pen, x, y, width, height) => {
  pen.rect(x, y, width, height);
  pen.rect(x + width - 1, y + 1, 2 - width, height - 2);
};
/** What waits is smaller than what has been done. */
const small: Shape = (pen, x, y, width, height) => whole(pen, x + 1, y + 2, width - 2, height - 4);
const half: Shape = (pen, x, y, width, height) => {
  frame(pen, x, y, width, height);
  pen.rect(x, y + Math.floor(height / 2), width, Math.ceil(height / 2));
};
const slash: Shape = (pen, x, y, width, height) => {
  const thick = Math.max(1, width / 4);
  frame(pen, x, y, width, height);
  pen.moveTo(x, y + height);
  pen.lineTo(x + thick, y + height);
  pen.lineTo(x + width, y);
  pen.lineTo(x + width - thick, y);
};
const SHAPES: Record<Look, Shape> = {
  unsent: frame,
  starting: half,
  queued: small,
  running: whole,
  failed: whole,
  cancelled: slash,
  done: whole,
};

/** What is taken out of a filled cell: two bands of a failed one, the core of a running one. */
const bands: Shape = (pen, x, y, width, height) => {
  const step = height / 4;
  for (const from of [step * 0.4, step * 2.2]) {
    pen.moveTo(x, y + from + step * 1.5);
    pen.lineTo(x, y + from + step * 0.5 + step * 1.9);
    pen.lineTo(x + width, y + from + step * 0.9);
    pen.lineTo(x + width, y + from);
  }
};
const core: Shape = (pen, x, y, width, height) => {
  const side = Math.max(1, Math.round(width / 3));
  const tall = Math.max(1, Math.round(height / 3));
  pen.rect(x + Math.floor((width - side) / 2), y + Math.floor((height - tall) / 2), side, tall);
};
const CUTS: Partial<Record<Look, Shape>> = { failed: bands, running: core };

/** What takes the place of a shape in cells of a few pixels. */
const TINY: Partial<Record<Look, Shape>> = { queued: whole, cancelled: half };

/** What each canvas shows: the looks of its cells by number, as long as all else (`key`) stays. */
const drawn = new WeakMap<HTMLCanvasElement, { key: string; looks: Uint8Array }>();

/** Draws the cells, one path a look; of many only those that have changed, while the layout stays. */
export function paint(canvas: HTMLCanvasElement, parts: Parts, place: Layout, inks: Inks): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  const key = JSON.stringify([place, inks, ratio, parts.size]);
  const looks = new Uint8Array(parts.size);
  for (let part = 0; part < parts.size; part++) looks[part] = numberOf(parts, part);
  const before = drawn.get(canvas);
  // In cells of a few pixels marks only blur: what failed stands out by closing the gaps instead.
  const tiny = place.width < 5;
  // Where cells share pixels, one cannot be taken out alone.
  const shown = before?.key === key && tiny && Number.isInteger(ratio) ? before.looks : null;
  drawn.set(canvas, { key, looks });
  if (!shown) {
    const width = place.columns * place.across;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(place.total * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${place.total}px`;
    pen.scale(ratio, ratio);
  }

  const groups: number[][] = LOOKS.map(() => []);
  for (let part = 0; part < parts.size; part++) {
    const look = looks[part] ?? 0;
    if (look === shown?.[part]) continue;
    const { x, y } = corner(part, place);
    if (shown) pen.clearRect(x, y, place.across, place.down);
    groups[look]?.push(part);
  }
  const fill = (found: number[], shape: Shape, ink: string, bleed = 0) => {
    pen.beginPath();
    for (const part of found) {
      const { x, y } = corner(part, place);
      shape(pen, x, y, place.width + bleed, place.height + bleed);
    }
    pen.fillStyle = ink;
    pen.fill();
  };
  for (const [number, look] of LOOKS.entries()) {
    const found = groups[number] ?? [];
    fill(found, (tiny && TINY[look]) || SHAPES[look], inks[look], tiny && look === "failed" ? 1 : 0);
    const cut = !tiny && CUTS[look];
    if (cut) fill(found, cut, inks.ground);
  }
}
