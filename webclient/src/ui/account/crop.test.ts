// A square out of a picture never leaves it.
import { expect, test } from 'vitest';
import { middle, squareOf, within, ZOOM_MAX } from './crop';

const wide = { width: 400, height: 200 };

test('begins with as much as a square holds, from the middle', () => {
  expect(squareOf(middle(wide), wide)).toEqual({ left: 100, top: 0, side: 200 });
});

test('nearer is a smaller square about the same middle', () => {
  expect(squareOf({ zoom: 2, x: 200, y: 100 }, wide)).toEqual({ left: 150, top: 50, side: 100 });
});

test.each([
  [
    { zoom: 1, x: -50, y: 500 },
    { left: 0, top: 0, side: 200 },
  ],
  [
    { zoom: 2, x: 1_000, y: 1_000 },
    { left: 300, top: 100, side: 100 },
  ],
  [
    { zoom: 99, x: 0, y: 0 },
    { left: 0, top: 0, side: 200 / ZOOM_MAX },
  ],
  [
    { zoom: 0.1, x: 0, y: 0 },
    { left: 0, top: 0, side: 200 },
  ],
])('%o stays within the picture', (looking, expected) => {
  expect(squareOf(looking, wide)).toEqual(expected);
  expect(squareOf(within(looking, wide), wide)).toEqual(expected);
});
