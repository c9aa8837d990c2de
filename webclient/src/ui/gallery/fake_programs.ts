// Bots and other MQTT topics without a box, for looking at the screens.
import type { TokenView } from '../../state/account_model';
import type { GrantView, Holder, Programs } from '../../state/bots_model';
import { anna, bot, jonas } from './people';

const day = 24 * 3_600_000;
const nothing = (): Promise<void> => Promise.resolve();
const text = (): Promise<string> => Promise.resolve(`hearth_app_${'k7Q2mXw9ZpL4tR8v'.repeat(2)}`);

const person = ({ id, displayName }: typeof anna): Holder => {
  return { kind: 'person', id, name: displayName, room: null };
};
const washer: Holder = {
  kind: 'device',
  id: 'd-washer',
  name: 'washer',
  room: 'Around the house',
};

export class FakePrograms implements Programs {
  readonly #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  makeBot = text;
  makeToken = text;
  endToken = nothing;
  grant = nothing;
  endGrant = nothing;

  tokens = (): Promise<TokenView[]> =>
    Promise.resolve([
      {
        id: 't-1',
        label: 'Weather station',
        createdAt: this.#now - 40 * day,
        lastUsedAt: this.#now - day / 24,
        access: 'write',
        rooms: ['r-home'],
      },
    ]);

  holders = (): Promise<Holder[]> =>
    Promise.resolve([person(anna), person(jonas), person(bot), washer]);

  grants = (): Promise<GrantView[]> =>
    Promise.resolve([
      { id: 'g-1', holder: person(jonas), filter: 'homeassistant/#', access: 'both' },
      { id: 'g-2', holder: washer, filter: 'zigbee2mqtt/washer/set', access: 'read' },
    ]);
}
