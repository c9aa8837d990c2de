// Programs of the house: bots with their tokens, and MQTT topics beside the rooms.
import { BotsApi } from '../api/bots';
import { parseId } from '../protocol/ids';
import type { NewToken, TokenView } from './account_model';
import type { AccountView } from './administration_model';
import type * as b from './bots_model';
import type { Home } from './home';
import { scopeOf, tokenOf } from './token_view';

type Run = <T>(run: () => Promise<T>) => Promise<T>;

export class HousePrograms implements b.Programs {
  readonly #home: Home;
  readonly #act: Run;
  readonly #accounts: () => Promise<readonly AccountView[]>;
  readonly #api: BotsApi;

  /** `act` runs an action; what goes wrong in it is a Problem. */
  constructor(home: Home, act: Run, accounts: () => Promise<readonly AccountView[]>) {
    this.#home = home;
    this.#act = act;
    this.#accounts = accounts;
    this.#api = new BotsApi(home.parts.api.http);
  }

  makeBot({ name, displayName, token }: b.NewBot): Promise<string> {
    const first = { label: token.label, scope: scopeOf(token) };
    return this.#act(() => this.#api.make({ name, displayName, ...first }));
  }

  tokens(bot: string): Promise<readonly TokenView[]> {
    return this.#act(async () => (await this.#api.tokens(parseId(bot))).map(tokenOf));
  }

  makeToken(bot: string, token: NewToken): Promise<string> {
    return this.#act(async () => {
      return (await this.#api.makeToken(parseId(bot), token.label, scopeOf(token))).token;
    });
  }

  endToken(bot: string, token: string): Promise<void> {
    return this.#act(async () => void (await this.#api.endToken(parseId(bot), parseId(token))));
  }

  holders(): Promise<readonly b.Holder[]> {
    return this.#act(async () => {
      const { parts, rooms } = this.#home;
      const accounts = await this.#accounts();
      const persons = accounts.map(({ person: { id, displayName: name } }): b.Holder => {
        return { kind: 'person', id, name, room: null };
      });
      const own = rooms.all().filter(({ room }) => room.type !== 'direct');
      const devices = await Promise.all(
        own.map(async ({ room }) => {
          const list = await parts.api.devices.list(room.id);
          return list.map(({ id, name }): b.Holder => {
            return { kind: 'device', id, name, room: room.name };
          });
        }),
      );
      return [...persons, ...devices.flat()];
    });
  }

  grants(holders: readonly b.Holder[]): Promise<readonly b.GrantView[]> {
    return this.#act(async () => {
      return (await this.#api.grants()).map(({ id, user_id, device_id, filter, access }) => {
        const holder = holders.find((one) => one.id === (user_id ?? device_id)) ?? null;
        return { id, holder, filter, access };
      });
    });
  }

  grant({ holder, filter, access }: b.NewGrant): Promise<void> {
    const id = parseId(holder.id);
    const to = holder.kind === 'person' ? { user_id: id } : { device_id: id };
    return this.#act(async () => void (await this.#api.grant({ holder: to, filter, access })));
  }

  endGrant(grant: string): Promise<void> {
    return this.#act(async () => void (await this.#api.endGrant(parseId(grant))));
  }
}
