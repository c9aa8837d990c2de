// Writes tests/vectors/ts-*.json when asked (`npm run vectors`); else checks that it could.
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attachmentCases } from './attachment_cases';
import { bundleCases } from './bundle_cases';
import * as cases from './cases';
import { chainCases, orderCases } from './order_cases';
import { pairingCases } from './pairing_cases';

const folder = new URL('../../../../tests/vectors/', import.meta.url);

const files: [string, () => Promise<cases.Case[]>][] = [
  ['kdf', cases.kdfCases],
  ['card', cases.cardCases],
  ['vault', cases.vaultCases],
  ['bundle', bundleCases],
  ['event', cases.eventCases],
  ['door', cases.doorCases],
  ['invite', cases.inviteCases],
  ['pairing', pairingCases],
  ['attachment', attachmentCases],
  ['padding', cases.paddingCases],
  ['chain', chainCases],
  ['order', orderCases],
];

describe('the vectors this side writes', () => {
  const sums = { good: 0, bad: 0 };
  test.each(files)('%s', async (name, make) => {
    const made = await make();
    for (const one of made) sums[one.error === true ? 'bad' : 'good']++;
    if (process.env['WRITE_VECTORS'] === undefined) return;
    mkdirSync(folder, { recursive: true });
    const json = JSON.stringify({ format: 'hearth/v1', by: 'ts', cases: made }, null, 1);
    writeFileSync(new URL(`ts-${name}.json`, folder), `${json}\n`);
  });
  test('more fail than pass', () => {
    expect(sums.bad).toBeGreaterThan(sums.good);
  });
});
