// Commands and completion while typing.
import { describe, expect, test } from 'vitest';
import { parse } from '../markdown/parse';
import { written } from './commands';
import { completionAt } from './completion';

const person = (name: string, displayName: string) =>
  ({ id: name, name, displayName, role: 'member', avatar: null }) as const;
const people = [person('anna', 'Anna'), person('zoe', 'Zoë Lind'), person('oma', 'Oma Grete')];

function offers(text: string, caret = text.length): string[] | null {
  return completionAt(text, caret, people)?.offers.map(({ insert }) => insert) ?? null;
}

describe('commands', () => {
  test('change the text, open something, or are not known', () => {
    expect(written('/me waves')).toEqual({ kind: 'text', text: '*waves*' });
    expect(written('/me waves\n\nand goes')).toEqual({
      kind: 'text',
      text: '*waves*\n\n*and goes*',
    });
    expect(written('/invite')).toEqual({ kind: 'open', what: 'invite' });
    expect(written('/dance now')).toEqual({ kind: 'unknown', name: 'dance' });
    expect(written('//dance')).toEqual({ kind: 'text', text: '/dance' });
  });

  test('are nothing but a word alone after the slash', () => {
    for (const text of ['/etc/hosts', '/', '/ a', '7/8', 'a /me']) {
      expect(written(text)).toEqual({ kind: 'text', text });
    }
  });

  test('a shrug is shown as one', () => {
    const shrug = written('/shrug');
    const shown = parse(shrug.kind === 'text' ? shrug.text : '', []);
    const text = (shown[0]?.kind === 'paragraph' ? shown[0].children : [])
      .map((inline) => (inline.kind === 'text' ? inline.text : '?'))
      .join('');
    expect(text).toBe('¯\\_(ツ)_/¯');
  });
});

describe('completion', () => {
  test('finds people by any of their names, without accents', () => {
    expect(offers('hi @')).toEqual(['@anna ', '@zoe ', '@oma ']);
    expect(offers('hi @LI')).toEqual(['@zoe ']);
    expect(offers('(@gre')).toEqual(['@oma ']);
    expect(offers('mail@an')).toBeNull();
    expect(offers('@ann', 2)).toBeNull();
  });

  test('offers commands at the beginning, tones behind words', () => {
    expect(offers('/sh')).toEqual(['/shrug ']);
    expect(offers('nice /s')).toEqual(['/s ', '/srs ']);
    expect(offers('and/or')).toBeNull();
    expect(offers('/xyz')).toBeNull();
  });

  test('says what it takes the place of', () => {
    expect(completionAt('a @zo b', 5, people)).toMatchObject({ from: 2, to: 5 });
  });
});
