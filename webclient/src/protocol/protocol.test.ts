// Bytes, ids, topics, events and frames as they come from elsewhere: read strictly or refused.
import { describe, expect, test } from 'vitest';
import { b64u, fromB64u, fromHex, Reader, u64, utf8 } from './bytes';
import { eventJson, parseEvent, parsePost } from './event';
import { decodeDoorPost, decodeFrame, encodeFrame } from './frame';
import { idBytes, idFromBytes, newCode, newId, parseCode, parseId } from './ids';
import { parseOut } from './item';
import { parseUniqueJson } from './json';
import { live, parseTopic } from './topic';

const id = newId(1_760_000_000_000, new Uint8Array(10).fill(0xab));

describe('bytes', () => {
  test('base64url is what Node says, and only its canonical form is read', () => {
    for (const length of [0, 1, 2, 3, 4, 31, 32, 33]) {
      const bytes = Uint8Array.from({ length }, (_, n) => (n * 37 + 200) & 255);
      expect(b64u(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromB64u(b64u(bytes))).toEqual(bytes);
    }
    for (const bad of ['A', 'AB', 'AA==', 'A+', 'A/', 'A A', 'AAB']) {
      expect(() => fromB64u(bad), bad).toThrow();
    }
    for (const bad of ['0', 'AB', '0g', ' 00']) expect(() => fromHex(bad), bad).toThrow();
  });

  test('a reader ends where the bytes end, and refuses numbers it cannot hold', () => {
    expect(() => new Reader('it', new Uint8Array(3)).u32()).toThrow(/too early/);
    expect(() => new Reader('it', new Uint8Array(8).fill(255)).u64()).toThrow(/2\^53/);
    expect(() => new Reader('it', new Uint8Array(1)).end()).toThrow(/after its end/);
    expect(() => new Reader('it', fromHex('ffffffff00')).part()).toThrow(/too early/);
    expect(new Reader('it', u64(2 ** 53 - 1)).u64()).toBe(2 ** 53 - 1);
    for (const bad of [-1, 1.5, 2 ** 53]) expect(() => u64(bad)).toThrow();
  });
});

describe('ids', () => {
  test('are UUIDv7, sort by time, and have one spelling', () => {
    expect(id[14]).toBe('7');
    expect(newId(1, new Uint8Array(10).fill(255)) < newId(2, new Uint8Array(10))).toBe(true);
    expect(idFromBytes(idBytes(id))).toBe(id);
    const nil = '00000000-0000-0000-0000-000000000000';
    for (const bad of [id.toUpperCase(), id.replaceAll('-', ''), `{${id}}`, nil, '', id.slice(1)]) {
      expect(() => parseId(bad), bad).toThrow();
    }
  });

  test('invite codes are ten characters of Crockford, whatever their case', () => {
    expect(newCode(Uint8Array.of(0, 1, 31, 32, 255, 10, 18, 20, 22, 27))).toBe('01Z0ZAJMPV');
    expect(parseCode('01z0zajmpv')).toBe('01Z0ZAJMPV');
    for (const bad of ['', '01Z0ZAJMP', '01Z0ZAJMPVV', '01Z0ZAJMPU', '01Z0ZAJMP-']) {
      expect(() => parseCode(bad), bad).toThrow();
    }
  });
});

test('only the topics this client listens to are read', () => {
  expect(parseTopic(`hearth/rooms/${id}/out`)).toEqual({ kind: 'out', room: id });
  expect(parseTopic(`hearth/users/${id}/inbox`)).toEqual({ kind: 'inbox', user: id });
  expect(parseTopic('hearth/status')).toEqual({ kind: 'status' });
  const others = [
    '',
    'hearth/rooms/x/out',
    `hearth/rooms/${id}/out/x`,
    `hearth/rooms/${id}/in`,
    `hearth/users/${id}/out`,
    `Hearth/rooms/${id}/out`,
  ];
  for (const other of others) expect(parseTopic(other), other).toBeNull();
});

test('live and receipts are read, a live topic with its person only', () => {
  expect(parseTopic(`hearth/rooms/${id}/receipts`)).toEqual({ kind: 'receipts', room: id });
  expect(parseTopic(live(id, id))).toEqual({ kind: 'live', room: id, user: id });
  for (const other of [
    `hearth/rooms/${id}/live`,
    `hearth/rooms/${id}/live/x`,
    `${live(id, id)}/x`,
  ]) {
    expect(parseTopic(other), other).toBeNull();
  }
});

describe('events', () => {
  test('read back as written', () => {
    const said = { type: 'message', content: 'Hi', parentId: id, mentions: [id] } as const;
    const attachments: never[] = [];
    const body = { ...said, attachments, tone: '/s' } as const;
    expect(parseEvent(eventJson({ id, at: 7, body }))).toEqual({ id, at: 7, body });
    const react = { type: 'react', target: id, emoji: '👍', on: false } as const;
    expect(parseEvent(eventJson({ id, at: 7, body: react })).body).toEqual(react);
  });

  test('that are none are refused', () => {
    const bad = [
      '',
      'null',
      '[]',
      '"text"',
      '{"type":"message"}',
      '{"type":"telegram","content":"x"}',
      '{"content":7}',
      '{"content":"x","id":"7"}',
      '{"type":"edit","content":"x"}',
      '{"content":"x","content":"y"}',
      `{"content":"${'é'.repeat(10_001)}"}`,
    ];
    for (const json of bad) expect(() => parseEvent(utf8(json)), json.slice(0, 40)).toThrow();
    expect(() => parseEvent(Uint8Array.of(0xff, 0xfe))).toThrow();
  });

  test('a field that stands twice is found at any depth, and only then', () => {
    const bad = ['{"a":1,"a":1}', '[{"a":{"b":1,"b":2}}]', '{"a":1,"\\u0061":2}'];
    for (const json of bad) expect(() => parseUniqueJson(json), json).toThrow(/twice/);
    const good = ['{"a":{"a":1},"b":["a","a"]}', '{"a":"a\\":","b":"{"}', '[{"a":1},{"a":2}]'];
    for (const json of good) expect(parseUniqueJson(json)).toEqual(JSON.parse(json));
  });

  test('a device’s post is JSON with a text, or the text itself', () => {
    const plain = { title: null, icon: null, priority: 'normal', box: false };
    expect(parsePost(utf8('Washing done\n'))).toEqual({ text: 'Washing done', ...plain });
    expect(parsePost(utf8('{"temp": 3}'))).toEqual({ text: '{"temp": 3}', ...plain });
    expect(parsePost(utf8('{not json'))).toEqual({ text: '{not json', ...plain });
    const json = '{"text":"Done","title":"Washer","priority":"high","at":1}';
    expect(parsePost(utf8(json))).toMatchObject({
      text: 'Done',
      title: 'Washer',
      priority: 'high',
    });
  });
});

describe('frames', () => {
  test('read back, and none of an unknown class or cut off is read', () => {
    const frame = { position: 7, receivedAt: 9, class: 'door', bytes: utf8('x') } as const;
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    const wire = encodeFrame(frame);
    expect(() => decodeFrame(wire.slice(0, 16))).toThrow();
    wire[16] = 4;
    expect(() => decodeFrame(wire)).toThrow(/class 4/);
    expect(() => decodeDoorPost(new Uint8Array(31))).toThrow();
  });

  test('what an open room’s item says of itself is not believed where the box knows better', () => {
    const json = { position: 3, received_at: 4, id, sender: id, device: null };
    const said = parseOut(utf8(JSON.stringify({ type: 'message', content: 'Hi', ...json })));
    expect(said).toMatchObject({ position: 3, sender: id, content: { type: 'event' } });
    const strange = { type: 'telegram', content: 'Hi', ...json };
    expect(parseOut(utf8(JSON.stringify(strange)))).toMatchObject({
      content: { type: 'unknown' },
    });
    expect(() => parseOut(utf8('{}'))).toThrow();
    expect(() => parseOut(utf8('x'))).toThrow();
  });
});
