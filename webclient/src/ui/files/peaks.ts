// Loudness in few bars.

/** The loudest moment of each of at most `bars` stretches, 0 to 255, the loudest of all 255. */
export function peaksOf(loudness: readonly number[], bars: number): number[] {
  const count = Math.min(bars, loudness.length);
  const all = Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * loudness.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * loudness.length) / count));
    return Math.max(...loudness.slice(from, to));
  });
  // What is hardly to be heard is not drawn as if it were loud.
  const most = Math.max(0.02, ...all);
  return all.map((one) => Math.round((255 * Math.max(0, one)) / most));
}
