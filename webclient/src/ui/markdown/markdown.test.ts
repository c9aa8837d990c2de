// Markdown to a tree: what is shown, and that nothing written can be more than text and honest links.
import { describe, expect, test } from 'vitest';
import { highlight } from './highlight';
import { parse } from './parse';
import { toned } from './tone';
import type { Block, Inline } from './tree';

const anna = { id: 'a', name: 'anna', displayName: 'Anna', role: 'member', avatar: null } as const;

function inlineText(inline: Inline): string {
  switch (inline.kind) {
    case 'break':
      return '\n';
    case 'link':
      return `<${inline.children.map(inlineText).join('')}|${inline.href}|${inline.host ?? ''}>`;
    case 'strong':
    case 'em':
    case 'del':
      return `${inline.kind}(${inline.children.map(inlineText).join('')})`;
    case 'code':
      return `code(${inline.text})`;
    case 'mention':
      return `{${inline.text}}`;
    case 'room':
      return `{${inline.text}|${inline.room.id}}`;
    case 'text':
      return inline.text;
  }
}

const line = (inlines: readonly Inline[]): string => inlines.map(inlineText).join('');

function drawn(blocks: readonly Block[]): string {
  return blocks
    .map((block) => {
      switch (block.kind) {
        case 'paragraph':
          return line(block.children);
        case 'heading':
          return `heading(${line(block.children)})`;
        case 'code':
          return `${block.language}:[${block.text}]`;
        case 'quote':
          return `quote(${drawn(block.blocks)})`;
        case 'list':
          return `list(${block.start ?? ''}${block.items.map((item) => `; ${drawn(item)}`).join('')})`;
        case 'table':
          return `table(${[block.head, ...block.rows].map((row) => row.map(line).join()).join('; ')})`;
        case 'rule':
          return 'rule';
      }
    })
    .join(' / ');
}

const read = (text: string): string => drawn(parse(text, [anna]));

describe('what people write', () => {
  const cases: [string, string][] = [
    ['plain words', 'plain words'],
    ['one\ntwo', 'one\ntwo'],
    ['**bold** and *italic* and ~~gone~~', 'strong(bold) and em(italic) and del(gone)'],
    ['a `code <b>` b', 'a code(code <b>) b'],
    ['```js\nlet a = 1\n```', 'js:[let a = 1]'],
    ['> said', 'quote(said)'],
    ['- a\n- b', 'list(; a; b)'],
    ['3. a\n4. b', 'list(3; a; b)'],
    ['- [x] done', 'list(; ☑ done)'],
    ['|a|b|\n|-|-|\n|1|2|', 'table(a,b; 1,2)'],
    ['# Title', 'heading(Title)'],
    ['    four spaces', '    four spaces'],
    ['not a heading\n---', 'not a heading / rule'],
    ['2 < 3 && 4 > 3', '2 < 3 && 4 > 3'],
    ['AT&amp;T', 'AT&amp;T'],
    ['snake_case_name', 'snake_case_name'],
    ['hi @Anna, and @nobody', 'hi {@Anna}, and @nobody'],
    ['mail anna@anna.example', 'mail <anna@anna.example|mailto:anna@anna.example|>'],
    ['`@anna`', 'code(@anna)'],
    ['[x]: https://a.example', '[x]: <https://a.example|https://a.example/|>'],
  ];
  test.each(cases)('%j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

describe('links say where they lead', () => {
  const cases: [string, string][] = [
    ['see https://a.example/x.', 'see <https://a.example/x|https://a.example/x|>.'],
    ['www.a.example', '<www.a.example|http://www.a.example/|>'],
    ['[here](https://a.example/x)', '<here|https://a.example/x|a.example>'],
    [
      '[https://bank.example](https://evil.example)',
      '<https://evil.example/|https://evil.example/|>',
    ],
    ['[bank.example](https://evil.example/y)', '<https://evil.example/y|https://evil.example/y|>'],
    [
      'https://bank.example@evil.example',
      '<https://bank.example@evil.example|https://bank.example@evil.example/|evil.example>',
    ],
    ['<https://аpple.com>', '<https://аpple.com|https://xn--pple-43d.com/|xn--pple-43d.com>'],
    ['![cat](https://a.example/cat.png)', '<cat|https://a.example/cat.png|a.example>'],
    ['[![x](https://a.example/i)](https://b.example)', '<x|https://b.example/|b.example>'],
  ];
  test.each(cases)('%j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });
});

/** After the OWASP and cure53 collections, and what Markdown makes of them. */
export const CORPUS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<iframe src="javascript:alert(1)">',
  '<a href="javascript:alert(1)">x</a>',
  '<style>@import "https://evil.example/x.css"</style>',
  '<link rel=stylesheet href=https://evil.example/x.css>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<body onload=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<form action=https://evil.example><input autofocus onfocus=alert(1)>',
  '<!--><img src=x onerror=alert(1)>-->',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](vbscript:msgbox(1))',
  '[x](file:///etc/passwd)',
  '[x](blob:https://a.example/1)',
  '[x](//evil.example)',
  '[x](/api/auth/logout)',
  '<javascript:alert(1)>',
  '![x](javascript:alert(1))',
  '![x](data:image/svg+xml,<svg onload=alert(1)>)',
  '![x"onerror="alert(1)](https://evil.example/x.png)',
  '[x](https://a.example "onmouseover=alert(1)")',
  '[x][y]\n\n[y]: javascript:alert(1)',
  '```"><img src=x onerror=alert(1)>\ncode\n```',
  '`</code><script>alert(1)</script>`',
  '|<img src=x onerror=alert(1)>|b|\n|-|-|\n|<script>alert(1)</script>|2|',
  '> <script>alert(1)</script>',
  '{@html "<b>x</b>"} {{constructor.constructor("alert(1)")()}}',
  '\u202Egnp.exe',
];

describe('whatever is written', () => {
  function hrefs(node: unknown): string[] {
    if (Array.isArray(node)) return node.flatMap(hrefs);
    if (typeof node !== 'object' || node === null) return [];
    const own: unknown = Reflect.get(node, 'href');
    return [...(typeof own === 'string' ? [own] : []), ...Object.values(node).flatMap(hrefs)];
  }
  const kinds = new Set(
    'text break code strong em del link mention paragraph heading quote list table rule'.split(' '),
  );
  function strange(node: unknown): string[] {
    if (Array.isArray(node)) return node.flatMap(strange);
    if (typeof node !== 'object' || node === null) return [];
    const kind: unknown = Reflect.get(node, 'kind');
    const odd = typeof kind === 'string' && !kinds.has(kind) ? [kind] : [];
    return [...odd, ...Object.values(node).flatMap(strange)];
  }

  test.each(CORPUS)('%j becomes text and honest links only', (text) => {
    const tree = parse(text, [anna]);
    expect(strange(tree)).toEqual([]);
    for (const href of hrefs(tree)) expect(href).toMatch(/^(https?:\/\/[^/]|mailto:)/);
  });

  test('deep and long texts neither throw nor hang', () => {
    for (const sign of ['>', '- ', '*', '[', '`', '![', '|', '<a ', '_*', '\n']) {
      const tree = parse(sign.repeat(10_000 / sign.length), []);
      expect(strange(tree)).toEqual([]);
    }
  });
});

describe('code', () => {
  test('in colours is the same code', () => {
    const code = 'let a = "x // no"; // yes\nconst b = 0x1f; /* open';
    const pieces = highlight(code, 'js');
    expect(pieces.map(({ text }) => text).join('')).toBe(code);
    const of = (kind: string): string[] =>
      pieces.flatMap((piece) => (piece.kind === kind ? [piece.text] : []));
    expect(of('comment')).toEqual(['// yes', '/* open']);
    expect(of('string')).toEqual(['"x // no"']);
    expect(of('keyword')).toEqual(['let', 'const']);
    expect(highlight('a # b', 'py').at(-1)).toEqual({ kind: 'comment', text: '# b' });
    expect(highlight('a # b', 'c').every(({ kind }) => kind === 'plain')).toBe(true);
  });
});

test('tones stand at the end, by their forms, and alone are words', () => {
  expect(toned('great /s', null)).toEqual({ text: 'great', tones: ['sarcastic'] });
  expect(toned('you /j /lh', null)).toEqual({ text: 'you', tones: ['joking', 'lightHearted'] });
  expect(toned('you', '/srs')).toEqual({ text: 'you', tones: ['serious'] });
  expect(toned('you /srs', 'srs')).toEqual({ text: 'you', tones: ['serious'] });
  for (const text of ['/s', 'and/or', 'see /etc', 'https://a.example/s', '/s is first']) {
    expect(toned(text, null)).toEqual({ text, tones: [] });
  }
});

describe('rooms', () => {
  const rooms = [
    { id: 'r1', name: 'Garden' },
    { id: 'r2', name: 'Garden party' },
    { id: 'r3', name: 'Küche' },
  ];
  const seen = (text: string): string => drawn(parse(text, [anna], rooms));

  test('are links by their whole name, the longest that fits', () => {
    expect(seen('see #garden, then **#Garden party**!')).toBe(
      'see {#garden|r1}, then strong({#Garden party|r2})!',
    );
    expect(seen('#küche @anna')).toBe('{#küche|r3} {@anna}');
  });

  test.each(['#Gardening', 'a#Garden', '##Garden', '#Attic', 'x.example/#Garden', '# Garden'])(
    '%s names none',
    (text) => {
      expect(seen(text)).not.toContain('|r');
    },
  );

  test('code is left alone', () => {
    expect(seen('`#Garden`')).toBe('code(#Garden)');
  });
});
