// Outside secure contexts `crypto.subtle` is missing, and the age library then fails instead of
// falling back: a stand-in that says "not supported" leads it to its own arithmetic.

/** Puts the stand-in where `crypto.subtle` is missing; a no-op elsewhere. */
export function ensureSubtle(): void {
  const subtle: SubtleCrypto | undefined = globalThis.crypto.subtle;
  if (subtle !== undefined) return;
  const refuse = (): Promise<never> =>
    Promise.reject(new DOMException('no WebCrypto outside a secure context', 'NotSupportedError'));
  const standIn = { importKey: refuse, deriveBits: refuse, generateKey: refuse, verify: refuse };
  Object.defineProperty(globalThis.crypto, 'subtle', { value: standIn, configurable: true });
}
