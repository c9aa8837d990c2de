// Counts in Prometheus' text format (0.0.4), by name and labels.

const LINES_MAX = 10_000;

/** Lines that are no counts are left out. */
export function parseCounts(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split('\n').slice(0, LINES_MAX)) {
    const [, name, value] = /^([a-z_]+(?:\{[^}]*\})?) (\d+)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) counts.set(name, Number(value));
  }
  return counts;
}
