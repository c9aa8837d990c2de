// Writing the vault under another password or another sheet, by compare-and-set.
import { isCode } from '../api/error';
import type { Id } from '../protocol/ids';
import type { VaultFiles } from '../sealing/requests';
import type { Parts } from './deps';
import { ProblemError } from './problem';

const TRIES = 5;

/** The error for an older vault than one that was seen. */
export const rolledBack = (): ProblemError =>
  new ProblemError(
    'vault_rolled_back',
    'the box serves an older copy of your keys than this browser has seen',
    'ask the one who runs the box whether it was restored from a backup',
  );

export interface Rewritten {
  readonly version: number;
  readonly vault: Uint8Array;
  readonly recoverySheet: string | null;
}

/**
 * Writes the vault that follows `known`; what another browser wrote meanwhile is merged first.
 * Nothing of it counts here before the box has it.
 */
export async function rewriteVault(
  { api, sealing }: Pick<Parts, 'api' | 'sealing'>,
  me: Id,
  known: number,
  how: { readonly underPassword: boolean; readonly newSheetAt: number | null },
  put: (expected: number, files: VaultFiles) => Promise<unknown>,
): Promise<Rewritten> {
  let expected = known;
  for (let attempt = 1; ; attempt++) {
    const version = expected + 1;
    const { recoverySheet, ...files } = await sealing.rewriteVault({ version, ...how });
    try {
      await put(expected, files);
      await sealing.openVault(me, version, files.vault);
      return { version, vault: files.vault, recoverySheet };
    } catch (error) {
      if (!isCode(error, 'vault_conflict') || attempt === TRIES) throw error;
    }
    const reply = await api.users.vault();
    if (reply.version < expected) throw rolledBack();
    await sealing.openVault(me, reply.version, reply.vault);
    expected = reply.version;
  }
}
