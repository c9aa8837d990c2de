// Padding of bodies: spaces up to max(256, Padmé(n)).

const FLOOR = 256;

/** n rounded up as Padmé says (Nikitin et al. 2019): leaks O(log log n) bits of the length. */
function padme(n: number): number {
  if (n < 2) return n;
  const e = Math.floor(Math.log2(n));
  const s = Math.floor(Math.log2(e)) + 1;
  const step = 2 ** Math.max(0, e - s);
  return Math.ceil(n / step) * step;
}

/** The length that a body of n bytes is padded to. */
export const paddedLength = (n: number): number => Math.max(FLOOR, padme(n));

/** The body followed by spaces. */
export function pad(body: Uint8Array): Uint8Array {
  const out = new Uint8Array(paddedLength(body.length)).fill(0x20);
  out.set(body);
  return out;
}
