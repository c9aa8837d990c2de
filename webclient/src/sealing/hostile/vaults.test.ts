// A box that tampers with what it keeps of a person: vaults, password costs, recovery files.
import { beforeEach, describe, expect, test } from 'vitest';
import { Circle, COST, flipped, person, random, SALT, type Someone } from '../../testing/circle';
import { workOf } from '../../testing/work';
import { memorySafe } from '../../local/safe';
import { ageIdentity, recipientOf, identityFromScalar, sealFile } from '../agefile';
import { Keyring } from '../keyring';
import { openRecovery } from '../vault';

let ada: Someone;

beforeEach(async () => {
  ada = await person();
});

async function fresh(password = 'password'): Promise<Keyring> {
  const keys = new Keyring(memorySafe(), random);
  await keys.stretch(password, SALT, COST);
  return keys;
}

describe('a vault', () => {
  test('of an older version does not pass for a newer one', async () => {
    const { vault } = await ada.keys.writeVault(1);
    await expect((await fresh()).openVault(ada.user, 2, vault)).rejects.toThrow(/does not open/);
    await expect(ada.keys.openVault(ada.user, 2, vault)).rejects.toThrow(/does not open/);
  });

  test('of somebody else does not pass for mine', async () => {
    const ben = await person();
    const { vault } = await ben.keys.writeVault(1);
    await expect((await fresh()).openVault(ada.user, 1, vault)).rejects.toThrow(/does not open/);
  });

  test('with any bit turned does not open', async () => {
    const { vault } = await ada.keys.writeVault(1);
    const keys = await fresh();
    for (let bit = 0; bit < vault.length * 8; bit += 7) {
      await expect(keys.openVault(ada.user, 1, flipped(vault, bit)), `${bit}`).rejects.toThrow();
    }
  });

  test('with the data of one version under the root of another does not open', async () => {
    const first = (await ada.keys.writeVault(1)).vault;
    await Circle.found(ada);
    const second = (await ada.keys.writeVault(2)).vault;
    const root = new DataView(first.buffer, first.byteOffset).getUint32(1);
    const spliced = Uint8Array.from([...second.subarray(0, 5 + root), ...first.subarray(5 + root)]);
    await expect((await fresh()).openVault(ada.user, 2, spliced)).rejects.toThrow();
  });
});

describe('a password’s cost', () => {
  const refused = [
    { memoryKib: 19_455, passes: 2, lanes: 1 },
    { memoryKib: 8, passes: 2, lanes: 1 },
    { memoryKib: 65_536, passes: 1, lanes: 1 },
    { memoryKib: 262_145, passes: 3, lanes: 1 },
    { memoryKib: 4_294_967_295, passes: 3, lanes: 1 },
    { memoryKib: 65_536, passes: 11, lanes: 1 },
    { memoryKib: 65_536, passes: 4_294_967_295, lanes: 1 },
    { memoryKib: 65_536, passes: 3, lanes: 0 },
    { memoryKib: 65_536, passes: 3, lanes: 5 },
  ];
  test.each(refused)('of $memoryKib KiB, $passes passes, $lanes lanes is refused', async (cost) => {
    const keys = new Keyring(memorySafe(), random);
    const refused = (): Promise<void> =>
      expect(keys.stretch('password', SALT, cost)).rejects.toThrow(/too weak or absurd/);
    expect(await workOf(refused)).toBeLessThan(500);
  });

  test('with a salt that is none is refused', async () => {
    const keys = new Keyring(memorySafe(), random);
    await expect(keys.stretch('password', SALT.subarray(1), COST)).rejects.toThrow(/16 bytes/);
  });
});

describe('the recovery file', () => {
  test('goes to the sheet in the vault, whatever the box would like', async () => {
    const { recovery } = await ada.keys.writeVault(1);
    const mine = await openRecovery(recovery, ageIdentity(ada.sheet), ada.user);
    expect(recipientOf(ageIdentity(ada.sheet))).toBe(mine.data.recovery.recipient);
    const boxs = identityFromScalar(random(32));
    await expect(openRecovery(recovery, boxs, ada.user)).rejects.toThrow();
    // A browser that takes a vault from the box writes to the sheet that stands in it.
    const phone = await fresh();
    await phone.openVault(ada.user, 1, (await ada.keys.writeVault(1)).vault);
    const { recovery: again } = await phone.writeVault(2);
    await expect(openRecovery(again, boxs, ada.user)).rejects.toThrow();
    expect((await openRecovery(again, ageIdentity(ada.sheet), ada.user)).root).toEqual(mine.root);
  });

  test('that the box made itself is somebody else’s, and is refused', async () => {
    const sheet = ageIdentity(ada.sheet);
    const file = await sealFile([recipientOf(sheet)], new TextEncoder().encode('{"root":"AA"}'));
    await expect(openRecovery(file, sheet, ada.user)).rejects.toThrow();
    const ben = await person();
    const { recovery } = await ben.keys.writeVault(1);
    await expect(openRecovery(recovery, sheet, ada.user)).rejects.toThrow();
  });
});
