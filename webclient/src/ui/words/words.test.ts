// The house's own words, the same everywhere: none of the terms that mean the same elsewhere.
import { expect, test } from 'vitest';
import { english } from './english';
import { englishAdministration } from './english_administration';
import { french } from './french';
import { frenchAdministration } from './french_administration';

const ENGLISH =
  /\b(servers?|instances?|tenants?|channels?|encrypt\w*|e2ee|unencrypted|users?|clients?|mnemonic|seed phrase|private keys?|decrypt\w*|join tokens?|cross-signed)\b/i;
const FRENCH =
  /(?<!\p{L})(serveurs?|instances?|la boîte|canal|canaux|chiffrée?s?|utilisateurs?|clients?|clé privée|déchiffrer)(?!\p{L})/iu;

/** Every sentence with the way to it; of a function, the texts in it. */
function sentences(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    const texts = value.toString().match(/`[^`]*`|'[^']*'|"[^"]*"/g) ?? [];
    return texts.map((text) => [path, text.replaceAll(/\$\{[^}]*\}/g, '…')]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => sentences(one, `${path}.${key}`));
}

const foreign = (catalogue: unknown, words: RegExp): [string, string][] =>
  sentences(catalogue).filter(([, text]) => words.test(text));

test('English speaks of houses, boxes, rooms and people', () => {
  expect(sentences(english).length).toBeGreaterThan(500);
  expect(foreign(english, ENGLISH)).toEqual([]);
  expect(foreign(englishAdministration, ENGLISH)).toEqual([]);
});

test('French does, too', () => {
  expect(foreign(french, FRENCH)).toEqual([]);
  expect(foreign(frenchAdministration, FRENCH)).toEqual([]);
});
