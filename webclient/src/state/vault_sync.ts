// The vault on the box follows pins and heads, by compare-and-set, a little after they change.
import type { UsersApi } from '../api/users';
import { isCode } from '../api/error';
import type { LoginStore } from '../local/login';
import type { Id } from '../protocol/ids';
import type { Sealing } from '../sealing/requests';
import type { Clock } from '../session/clock';
import { rolledBack } from './vault_rewrite';

const WAIT_MS = 2_000;
const TRIES = 5;

export interface VaultSyncDeps {
  readonly users: UsersApi;
  readonly sealing: Sealing;
  readonly login: LoginStore;
  readonly clock: Clock;
  readonly me: Id;
  readonly failed: (error: unknown) => void;
}

export class VaultSync {
  readonly #deps: VaultSyncDeps;
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: VaultSyncDeps) {
    this.#deps = deps;
  }

  /** Pins or heads may have changed: written soon, once for many changes. */
  soon(): void {
    this.#cancel ??= this.#deps.clock.after(WAIT_MS, () => {
      this.#cancel = null;
      this.#writing = this.#writing.then(() => this.#write()).catch(this.#deps.failed);
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** What another browser wrote, merged into what is known here. */
  async fetch(): Promise<void> {
    const { users, sealing, login, me } = this.#deps;
    const kept = await login.read();
    const { version, vault } = await users.vault();
    if (kept === null) return;
    if (version < kept.vaultVersion) throw rolledBack();
    await sealing.openVault(me, version, vault);
    await login.write({ ...kept, vaultVersion: version, vault });
  }

  async #write(): Promise<void> {
    const { users, sealing, login } = this.#deps;
    for (let attempt = 0; await sealing.vaultChanged(); attempt++) {
      const kept = await login.read();
      if (kept === null) return;
      const { vault, recovery } = await sealing.writeVault(kept.vaultVersion + 1);
      try {
        const version = await users.putVault(kept.vaultVersion, vault, recovery, null);
        await login.write({ ...kept, vaultVersion: version, vault });
        return;
      } catch (error) {
        await sealing.touchVault();
        if (!isCode(error, 'vault_conflict') || attempt >= TRIES) throw error;
        await this.fetch();
      }
    }
  }
}
