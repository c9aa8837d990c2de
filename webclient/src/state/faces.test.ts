// People's pictures: asked for once, nothing shown that is no picture, a bounded number kept.
import { expect, test } from 'vitest';
import { ApiError } from '../api/error';
import { Faces } from './faces';

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);

function faces(answer: (avatar: string) => Blob): { faces: Faces; asked: string[] } {
  const asked: string[] = [];
  const read = (avatar: string): Promise<Blob> => {
    asked.push(avatar);
    return Promise.resolve().then(() => answer(avatar));
  };
  return { faces: new Faces(read), asked };
}

test('a picture is asked for once, and is what its bytes say', async () => {
  const { faces: shown, asked } = faces(() => new Blob([PNG], { type: 'text/html' }));
  const [one, two] = await Promise.all([shown.picture('a'), shown.picture('a')]);
  expect(one?.type).toBe('image/png');
  expect(two).toBe(one);
  expect(asked).toEqual(['a']);
});

test('what is no picture is none, whatever the box calls it', async () => {
  const { faces: shown } = faces(() => new Blob(['<svg onload=x>'], { type: 'image/svg+xml' }));
  expect(await shown.picture('a')).toBeNull();
});

test('one that is gone is none; a box that is away is asked again', async () => {
  let error = new ApiError(410, 'gone', '', '');
  const { faces: shown, asked } = faces(() => {
    throw error;
  });
  expect(await shown.picture('a')).toBeNull();
  error = new ApiError(0, 'offline', '', '');
  await expect(shown.picture('b')).rejects.toThrow();
  await expect(shown.picture('b')).rejects.toThrow();
  expect(asked).toEqual(['a', 'b', 'b']);
});

test('the oldest of more than a hundred is let go', async () => {
  const { faces: shown, asked } = faces(() => new Blob([PNG]));
  for (let n = 0; n <= 100; n += 1) await shown.picture(`p${n}`);
  await shown.picture('p100');
  await shown.picture('p0');
  expect(asked).toHaveLength(102);
});
