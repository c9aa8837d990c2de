// A lively talk for the gallery: answers, reactions, edits, marks, tones, ticks.
import type { Quote, TimelineItem } from '../../state/model';
import { anna, jonas, mila, oma, ravi } from './people';
import { message, post } from './timeline';

const code = '```ts\n// tomorrow\nconst loaves = 2;\nbake(`rye`, loaves);\n```';
const table = '| who | brings |\n|---|---|\n| Mila | bread |\n| Oma | plum cake |';
const list =
  '1. **Bread**, the *dark* one\n2. Butter\n3. [the recipe](https://kitchen.example/soup)';

/** What people do with messages. */
export function talk(now: number): TimelineItem[] {
  const first = message(now, 64, mila, 'Who is home for dinner?');
  const quote: Quote = {
    kind: 'message',
    id: first.id,
    sender: mila,
    text: first.text,
    files: null,
    deleted: false,
  };
  const answer = { parentId: first.id, quote };
  const away: Quote = { kind: 'away', id: 'm-gone' };
  const others = [mila, jonas, oma];
  const versions = [
    { text: 'Seven!', at: now - 58 * 60_000 },
    { text: 'Half past seven!', at: now - 55 * 60_000 },
  ];
  return [
    first,
    message(now, 60, jonas, 'Me, and two friends', {
      ...answer,
      reactions: [
        { emoji: '🎉', by: [mila, anna], mine: true },
        { emoji: '😂', by: [oma], mine: false },
      ],
    }),
    message(now, 58, anna, 'Half past seven!', {
      ...answer,
      edited: true,
      versions,
      reach: { kind: 'read', readBy: others, deliveredTo: others },
    }),
    message(now, 52, oma, 'I bring nothing at all', { tone: '/j' }),
    message(now, 51, oma, 'so proud of you @anna /gen', { mentionsMe: true }),
    message(now, 40, jonas, '', { deleted: true, deletedBy: jonas }),
    message(now, 38, ravi, `What we need:\n\n${list}\n\n> and no olives, please`),
    message(now, 36, ravi, table),
    message(now, 30, jonas, `The oven says \`E4\`, so:\n${code}`),
    post(now, 26, {
      title: 'Washing done',
      text: '60° cotton. The door is unlocked.',
      reactions: [{ emoji: '👍', by: [anna], mine: true }],
    }),
    message(now, 20, anna, 'Did anyone see the blue bowl?', {
      parentId: 'm-gone',
      quote: away,
      reach: { kind: 'delivered', readBy: [mila], deliveredTo: others },
    }),
    message(now, 9, mila, '🥖🧈'),
    message(now, 4, anna, 'Not yet with everyone', {
      reach: { kind: 'stored', readBy: [], deliveredTo: [mila] },
    }),
    message(now, 3, anna, 'I set the table', {
      change: {
        id: 'c-1',
        what: 'edit',
        delivery: { kind: 'failed', problem: { code: 'edit_window_over', message: '', hint: '' } },
      },
    }),
  ];
}
