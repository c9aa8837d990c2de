// A talk for the gallery: every kind of row, at times counted back from now.
import type { MessageItem, Person, PostItem, TimelineItem } from '../../state/model';
import { anna, jonas, mila, oma, ravi } from './people';

const minute = 60_000;
const me = anna;

type More = Partial<Omit<MessageItem, 'kind' | 'sender' | 'text'>>;

let position = 0;

/** A message `ago` minutes before `now`. */
export function message(
  now: number,
  ago: number,
  sender: Person,
  text: string,
  more: More = {},
): MessageItem {
  position += 1;
  return {
    kind: 'message',
    id: `m-${position}`,
    position,
    at: now - ago * minute,
    sender,
    own: sender === me,
    text,
    attachments: [],
    edited: false,
    versions: [],
    deleted: false,
    deletedBy: null,
    parentId: null,
    quote: null,
    mentionsMe: false,
    tone: null,
    reactions: [],
    marks: [],
    delivery: { kind: 'stored' },
    change: null,
    reach: null,
    ...more,
  };
}

/** A device's post `ago` minutes before `now`. */
export function post(now: number, ago: number, more: Partial<PostItem>): PostItem {
  position += 1;
  return {
    kind: 'post',
    id: `d-${position}`,
    position,
    at: now - ago * minute,
    device: { id: 'd-washer', name: 'washer' },
    title: null,
    text: 'Washing done',
    icon: 'washer',
    priority: 'normal',
    sealedBy: 'device',
    oldKey: false,
    reactions: [],
    ...more,
  };
}

function joined(now: number, ago: number, person: Person): TimelineItem {
  position += 1;
  return {
    kind: 'line',
    id: `l-${position}`,
    position,
    at: now - ago * minute,
    line: 'joined',
    person,
    by: null,
    role: null,
    epoch: null,
  };
}

/** An evening in the general room. */
export function evening(now: number): TimelineItem[] {
  const day = 24 * 60;
  return [
    message(now, day + 190, oma, 'The parcel for Jonas is with me.'),
    message(now, day + 189, oma, 'It is quite heavy! What is in there?'),
    message(now, day + 171, jonas, 'Books. And a lamp. And more books.'),
    message(now, day + 170, anna, 'Thank you, Oma ❤️', {
      reactions: [{ emoji: '❤️', by: [oma, mila], mine: false }],
    }),
    joined(now, day + 60, ravi),
    message(now, 96, mila, 'What’s for dinner?'),
    message(now, 94, anna, 'Lentil soup and whatever bread is left.', { edited: true }),
    message(now, 93, anna, 'Recipe: https://kitchen.example/soups/lentils?serves=5.'),
    message(
      now,
      70,
      jonas,
      'I am at the library until six, then I have to pick up the bicycle from the repair shop.\n\n' +
        'So: seven?',
      { reactions: [{ emoji: '👍', by: [anna], mine: true }] },
    ),
    post(now, 26, { title: 'Washing done', text: '60° cotton, 1.2 kWh. Door is unlocked.' }),
    message(now, 12, oma, 'Dinner at seven is fine. I bring the plum cake.'),
    message(now, 11, anna, 'Seven it is.'),
    message(now, 2, mila, 'I’ll bring the bread'),
    message(now, 2, mila, '🥖'),
  ];
}

/** Everything that can stand in a timeline. */
export function everything(now: number): TimelineItem[] {
  const at = (ago: number): { position: number; at: number } => {
    position += 1;
    return { position, at: now - ago * minute };
  };
  const line = { kind: 'line', person: ravi, by: anna, role: null, epoch: null } as const;
  const refused = { code: 'too_fast', message: 'Too many messages.', hint: 'Wait.' };
  return [
    { ...line, ...at(300), id: 'x1', line: 'joined' },
    { ...line, ...at(299), id: 'x2', line: 'role', role: 'admin' },
    { ...line, ...at(298), id: 'x3', line: 'epoch', epoch: 4 },
    { ...line, ...at(297), id: 'x4', line: 'erased' },
    { ...line, ...at(296), id: 'x5', line: 'left' },
    { kind: 'stub', ...at(200), id: 's1', reason: 'waiting_for_key', sender: mila, by: null },
    { kind: 'stub', ...at(199), id: 's2', reason: 'other_key', sender: null, by: null },
    { kind: 'stub', ...at(198), id: 's3', reason: 'unknown', sender: jonas, by: null },
    { kind: 'stub', ...at(197), id: 's4', reason: 'erased', sender: null, by: jonas },
    { kind: 'gap', ...at(196), id: 'g1', count: 3, sender: jonas },
    message(now, 100, mila, 'Sent twice.', { marks: ['copied_writer'] }),
    message(now, 100, mila, 'Come again.', { marks: ['out_of_turn'] }),
    message(now, 99, jonas, 'Old key.', { marks: ['old_key', 'changed_card'] }),
    message(now, 98, oma, '', { deleted: true, deletedBy: oma }),
    message(now, 90, mila, '<img src=x onerror=alert(1)> **not bold** javascript:alert(1)'),
    message(now, 89, mila, 'Donaudampfschifffahrtsgesellschaftskapitän'.repeat(4)),
    post(now, 80, { sealedBy: 'box', text: '21.5 °C', icon: null, device: dev('thermometer') }),
    post(now, 79, {
      priority: 'high',
      title: 'Water in the cellar',
      text: 'The sensor below the boiler is wet.',
      icon: 'leak',
      device: dev('cellar'),
    }),
    post(now, 78, { oldKey: true, icon: '🐈', text: 'Cat came home', device: dev('cat-door') }),
    message(now, 9, anna, 'queued', { delivery: { kind: 'queued' } }),
    message(now, 9, anna, 'sealing', { delivery: { kind: 'sealing' } }),
    message(now, 9, anna, 'sending', { delivery: { kind: 'sending' } }),
    message(now, 9, anna, 'stored'),
    message(now, 2, anna, 'This one did not go out.', {
      delivery: { kind: 'failed', problem: refused },
    }),
  ];
}

function dev(name: string): { id: string; name: string } {
  return { id: `d-${name}`, name };
}

/** `count` messages before the evening, for scrolling. */
export function history(now: number, count: number): TimelineItem[] {
  const talk = ['Good night', 'See you', 'Who has the keys?', 'On the hook', 'Thanks!'];
  const people = [mila, jonas, anna, oma];
  return Array.from({ length: count }, (_, at) => {
    const ago = 3 * 24 * 60 + (count - at) * 7;
    const who = people[Math.floor(at / 2) % people.length] ?? mila;
    return message(now, ago, who, `${talk[at % talk.length] ?? ''} (${at + 1})`);
  });
}
