// Commands and completion while typing.
import { describe, expect, test } from 'vitest';
import { parse } from '../markdown/parse';
import { COMMANDS, commandsIn, written } from './commands';
import { completionAt } from './completion';

const person = (name: string, displayName: string) =>
  ({ id: name, name, displayName, role: 'member', avatar: null }) as const;
const people = [person('anna', 'Anna'), person('zoe', 'Zoë Lind'), person('oma', 'Oma Grete')];
const rooms = [
  { id: 'r1', name: 'General' },
  { id: 'r2', name: 'Garden party' },
  { id: 'r3', name: 'Garden' },
];
const known = { people, rooms, commands: COMMANDS };

function offers(text: string, caret = text.length): string[] | null {
  return completionAt(text, caret, known)?.offers.map(({ insert }) => insert) ?? null;
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

  test.each([
    ['/topic Plans for June', { what: 'topic', text: 'Plans for June' }],
    ['/status', { what: 'status', text: '' }],
    ['/away', { what: 'away' }],
    ['/notify none', { what: 'notify', notify: 'muted' }],
    ['/msg @oma', { what: 'msg', name: 'oma' }],
    ['/kick oma  too loud', { what: 'kick', name: 'oma', reason: 'too loud' }],
    ['/mute @oma 2h night', { what: 'mute', name: 'oma', minutes: 120, reason: 'night' }],
    ['/mute @oma 2hours', { what: 'mute', name: 'oma', minutes: null, reason: '2hours' }],
    ['/ban @oma 7d', { what: 'ban', name: 'oma', minutes: 10_080, reason: '' }],
    ['/unban oma', { what: 'unban', name: 'oma' }],
    ['/leave', { what: 'leave' }],
  ])('%s is done on the box', (typed, deed) => {
    expect(written(typed)).toEqual({ kind: 'deed', deed });
  });

  test.each([
    '/rename',
    '/notify loud',
    '/msg',
    '/msg @oma hello',
    '/kick',
    '/ban @',
    '/leave now',
  ])('%s is not done: something is missing or too much', (typed) => {
    expect(written(typed).kind).toBe('incomplete');
  });

  test('to join show the rooms, or go into the named one', () => {
    expect(written('/join')).toEqual({ kind: 'open', what: 'join' });
    for (const text of ['/join Garden party', '/join #Garden party']) {
      const deed = { what: 'join', text: 'Garden party' };
      expect(written(text)).toEqual({ kind: 'deed', deed });
    }
  });

  test('are offered where they work', () => {
    const room = {
      id: 'r',
      name: 'Garden',
      type: 'private',
      sealing: 'sealed',
      general: false,
      myRole: 'member',
      lastMessageAt: null,
      lastText: null,
      lastSender: null,
      lastFiles: null,
      other: null,
      unread: 0,
      mentions: 0,
    } as const;
    expect(commandsIn(room)).not.toContain('kick');
    expect(commandsIn(room)).toContain('leave');
    expect(commandsIn({ ...room, myRole: 'admin' })).toContain('kick');
    expect(commandsIn({ ...room, myRole: 'owner', type: 'direct' })).not.toContain('ban');
    expect(commandsIn({ ...room, myRole: 'owner', general: true })).not.toContain('leave');
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

  test('finds rooms by any word of their names', () => {
    expect(offers('see #ga')).toEqual(['#Garden party ', '#Garden ']);
    expect(offers('#PARTY')).toEqual(['#Garden party ']);
    expect(offers('a#ga')).toBeNull();
  });

  test('says what it takes the place of', () => {
    expect(completionAt('a @zo b', 5, known)).toMatchObject({ from: 2, to: 5 });
  });
});
