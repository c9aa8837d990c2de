// What a person does about keys: accept somebody's changed ones, renew their own.
import { isCode } from '../api/error';
import { parseId } from '../protocol/ids';
import type { Home } from './home';
import { ProblemError } from './problem';
import type { KeysActions } from './readers_model';

const TRIES = 5;

export class Keys implements KeysActions {
  readonly #here: () => Home;
  readonly #act: <T>(run: () => Promise<T>) => Promise<T>;

  constructor(here: () => Home, act: <T>(run: () => Promise<T>) => Promise<T>) {
    this.#here = here;
    this.#act = act;
  }

  accept = (userId: string): Promise<void> =>
    this.#act(async () => {
      const home = this.#here();
      const { sealing, clock } = home.parts;
      await sealing.acceptKeys(parseId(userId), clock.now());
      await this.#settleAll(home);
    });

  setHints = (roomId: string, on: boolean): Promise<void> =>
    this.#act(async () => {
      const home = this.#here();
      const { sealing, api } = home.parts;
      const { id } = home.rooms.need(roomId).room;
      await home.keeper.withRequests([id], 'rules', async ([request]) => {
        const rules = home.keeper.view(id)?.rules;
        if (request === undefined || rules == null || rules.hints === on) return;
        const { bundle } = await sealing.nextEpoch({ ...request, rules: { ...rules, hints: on } });
        await api.rooms.putBundle(id, bundle);
      });
    });

  /** Each room's next epoch lists whom it must; what waited goes out. */
  async #settleAll(home: Home): Promise<void> {
    await home.keeper.pinsChanged();
    for (const handle of home.rooms.all()) {
      if (handle.room.sealing !== 'sealed') continue;
      try {
        await home.keeper.settle(handle.room.id);
        await home.rooms.company(handle);
      } catch (error) {
        // One room that cannot go on holds up no other.
        home.failed(error);
      }
    }
  }

  renew = (password: string): Promise<void> =>
    this.#act(async () => {
      const home = this.#here();
      const { sealing, api } = home.parts;
      const { name } = home.people.person(home.me);
      const { salt, cost } = await api.auth.params(name);
      await sealing.stretch(password, salt, cost);
      await sealing.addCards(home.me, await api.users.cards(home.me));
      await this.#replace(home);
      await sealing.addCards(home.me, await api.users.cards(home.me));
      await this.#settleAll(home);
    });

  /** New card and vault in one request; again when another browser wrote its vault meanwhile. */
  async #replace(home: Home): Promise<void> {
    const { sealing, api, login, clock } = home.parts;
    for (let attempt = 0; ; attempt++) {
      const kept = await login.read();
      if (kept === null) throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
      const made = await sealing.renewIdentity(kept.vaultVersion + 1, clock.now());
      const { vault, recovery, card } = made;
      try {
        const version = await api.users.putVault(kept.vaultVersion, vault, recovery, card);
        await sealing.identityRenewed();
        await login.write({ ...kept, vaultVersion: version, vault });
        return;
      } catch (error) {
        if (!isCode(error, 'vault_conflict') || attempt >= TRIES) throw error;
        await home.fetchVault();
      }
    }
  }
}
