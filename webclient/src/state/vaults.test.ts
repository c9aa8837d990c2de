// Several browsers of one person write one vault: by compare-and-set, so that nobody's news is lost.
import { beforeEach, expect, test, vi } from 'vitest';
import { fromB64u } from '../protocol/bytes';
import { cost } from '../protocol/cost';
import * as s from '../protocol/schema';
import { stretch } from '../sealing/password';
import { openVault, type VaultData } from '../sealing/vault';
import { Browser } from '../testing/browser';
import { FakeClock, PATIENCE } from '../testing/clock';
import { FakeHouse, type FakeUser } from '../testing/house';
import { foundHouse, openGeneral } from '../testing/screens';
import type { App } from './model';

const PASSWORD = 'correct horse';

let clock: FakeClock;
let house: FakeHouse;
let ada: App;
/** Vaults that came too late. */
let conflicts: number;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  conflicts = 0;
  const honest = house.fetch;
  house.fetch = async (path, init) => {
    const answer = await honest(path, init);
    if (path === '/api/vault' && answer.status === 409) conflicts += 1;
    return answer;
  };
  ({ app: ada } = await foundHouse(house, clock));
});

function account(): FakeUser {
  const user = house.userByName('ada');
  if (user === undefined) throw new Error('no ada');
  return user;
}

const bytes: s.Parser<Uint8Array> = (value, path) => fromB64u(s.text(value, path));
const kept = s.object({ vault: bytes, salt: bytes, cost });

/** What lies in the vault, opened by the password. */
async function inVault(): Promise<VaultData> {
  const { id, vault: row, vaultVersion } = account();
  const { vault, salt, cost: at } = kept(row, 'vault');
  const { vaultKey } = await stretch(PASSWORD, salt, at);
  return openVault(vault, id, vaultVersion, vaultKey).data;
}

test('two that write at once each keep what the other one knew', async () => {
  const phone = await new Browser(house, clock).open();
  await phone.login({ name: 'ada', password: PASSWORD });
  await openGeneral(phone);
  await vi.waitFor(() => {
    clock.elapse(5_000);
    expect(account().vaultVersion).toBeGreaterThan(1);
  }, PATIENCE);
  const attic = await ada.createRoom({ name: 'Attic', type: 'private', sealing: 'sealed' });
  const cellar = await phone.createRoom({ name: 'Cellar', type: 'private', sealing: 'sealed' });
  await vi.waitFor(async () => {
    clock.elapse(5_000);
    const heads = new Set<string>((await inVault()).heads.keys());
    expect([heads.has(attic), heads.has(cellar)]).toEqual([true, true]);
  }, PATIENCE);
  expect(conflicts).toBeGreaterThan(0);
  expect((await inVault()).heads.size).toBe(3);
});
