// The link by which a new browser is paired: what its QR code holds (sealing.md §2).
import { b64u, concat } from './bytes';

/** `ORIGIN/pair#` b64u(channel ‖ public key). */
export const pairLink = (
  origin: string,
  { channel, key }: { readonly channel: Uint8Array; readonly key: Uint8Array },
): string => `${origin}/pair#${b64u(concat(channel, key))}`;
