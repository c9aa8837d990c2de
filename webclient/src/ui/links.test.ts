// Links in a text are found, and nothing else becomes one.
import { expect, test } from 'vitest';
import { runs } from './links';

const shown = (text: string): string[] =>
  runs(text).map((run) => (run.kind === 'link' ? `[${run.text}]` : run.text));

test('addresses become links, the sentence around them stays text', () => {
  const cases: [string, string[]][] = [
    ['dinner at seven', ['dinner at seven']],
    ['see https://a.example/x?y=1.', ['see ', '[https://a.example/x?y=1]', '.']],
    ['(https://a.example/b)', ['(', '[https://a.example/b]', ')']],
    ['https://a.example/b_(c)', ['[https://a.example/b_(c)]']],
    ['http://a.example\nhttp://b.example', ['[http://a.example]', '\n', '[http://b.example]']],
    ['javascript:alert(1) data:text/html,x', ['javascript:alert(1) data:text/html,x']],
    ['https://', ['https://']],
    ['<b>bold</b>', ['<b>bold</b>']],
    ['', []],
  ];
  for (const [text, expected] of cases) expect(shown(text), text).toEqual(expected);
});
