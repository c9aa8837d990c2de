// Markdown to a tree of what may be shown. HTML stays text, pictures become links, nothing is fetched.
import { Lexer, Tokenizer, type Token, type Tokens } from 'marked';
import { namedIn } from '../../state/mentions';
import type { Person } from '../../state/model';
import { roomsIn, type RoomName } from './rooms';
import type { Block, Inline } from './tree';

/** Quotes in quotes and lists in lists, at most; what lies deeper is shown as it was written. */
const DEPTH_MAX = 8;

/** What surprises in a chat is text: four spaces are no code, a line below is no heading. */
class ChatTokenizer extends Tokenizer {
  override code(): undefined {
    return undefined;
  }
  override lheading(): undefined {
    return undefined;
  }
  override def(): undefined {
    return undefined;
  }
}

class Reading {
  readonly #people: ReadonlyMap<string, Person>;

  readonly #rooms: readonly RoomName[];

  constructor(people: readonly Person[], rooms: readonly RoomName[]) {
    this.#rooms = rooms;
    this.#people = new Map(people.map((person) => [person.name.toLowerCase(), person]));
  }

  blocks(tokens: readonly Token[], depth: number): Block[] {
    return tokens.flatMap((token) => this.#block(token as Tokens.Generic, depth));
  }

  #block(token: Tokens.Generic, depth: number): Block[] {
    const { type, raw } = token;
    if (type === 'space') return [];
    if (depth > DEPTH_MAX) return [{ kind: 'paragraph', children: this.plain(raw.trim()) }];
    switch (type) {
      case 'code':
        return [{ kind: 'code', text: String(token['text']), language: language(token['lang']) }];
      case 'blockquote':
        return [{ kind: 'quote', blocks: this.blocks(token.tokens ?? [], depth + 1) }];
      case 'list':
        return [this.#list(token as Tokens.List, depth)];
      case 'table':
        return [this.#table(token as Tokens.Table)];
      case 'heading':
        return [{ kind: 'heading', children: this.#inlines(token.tokens ?? [], depth) }];
      case 'hr':
        return [{ kind: 'rule' }];
      case 'paragraph':
      case 'text':
        return token.tokens === undefined
          ? [{ kind: 'paragraph', children: this.plain(raw) }]
          : [{ kind: 'paragraph', children: this.#inlines(token.tokens, depth) }];
      default:
        return [{ kind: 'paragraph', children: this.plain(raw.trim()) }];
    }
  }

  #list({ ordered, start, items }: Tokens.List, depth: number): Block {
    const rows = items.map((item): Block[] => {
      const blocks = this.blocks(
        item.tokens.filter(({ type }) => type !== 'checkbox'),
        depth + 1,
      );
      if (!item.task) return blocks;
      const sign: Inline = { kind: 'text', text: item.checked === true ? '☑ ' : '☐ ' };
      const [first, ...rest] = blocks;
      return first?.kind === 'paragraph'
        ? [{ ...first, children: [sign, ...first.children] }, ...rest]
        : [{ kind: 'paragraph', children: [sign] }, ...blocks];
    });
    return { kind: 'list', start: ordered ? Number(start) || 0 : null, items: rows };
  }

  #table({ header, rows }: Tokens.Table): Block {
    const cell = ({ tokens }: Tokens.TableCell): Inline[] => this.#inlines(tokens, 0);
    return { kind: 'table', head: header.map(cell), rows: rows.map((row) => row.map(cell)) };
  }

  #inlines(tokens: readonly Token[], depth: number): Inline[] {
    return tokens.flatMap((token) => this.#inline(token as Tokens.Generic, depth));
  }

  #inline(token: Tokens.Generic, depth: number): Inline[] {
    const { type, raw } = token;
    const children = (): Inline[] => this.#inlines(token.tokens ?? [], depth + 1);
    if (depth > 2 * DEPTH_MAX) return this.plain(raw);
    switch (type) {
      case 'strong':
      case 'em':
      case 'del':
        return [{ kind: type, children: children() }];
      case 'codespan':
        return [{ kind: 'code', text: String(token['text']) }];
      case 'br':
        return [{ kind: 'break' }];
      case 'escape':
        return [{ kind: 'text', text: String(token['text']) }];
      case 'link':
        return this.#link(token as Tokens.Link, children);
      case 'image':
        return this.#image(token as Tokens.Image);
      case 'text':
        return token.tokens === undefined ? this.plain(String(token['text'])) : children();
      default:
        return this.plain(raw);
    }
  }

  #link(token: Tokens.Link, children: () => Inline[]): Inline[] {
    const target = addressOf(token.href);
    if (target === null) return this.plain(token.raw);
    const { href, host, strange } = target;
    const itself = token.raw === token.text || token.raw === `<${token.text}>`;
    // A text that looks like an address must be the address.
    const claims = /^\s*(?:\w+:\/\/|www\.)|^\s*[\w-]+(?:\.[\w-]+)+(?:[/?#]|\s*$)/.test(token.text);
    if (itself || claims) {
      const text = itself ? token.text : href;
      return [
        { kind: 'link', href, host: strange ? host : null, children: [{ kind: 'text', text }] },
      ];
    }
    return [{ kind: 'link', href, host, children: children().flatMap(unlinked) }];
  }

  #image({ href: source, text, raw }: Tokens.Image): Inline[] {
    const target = addressOf(source);
    if (target === null) return this.plain(raw);
    const { href, host } = target;
    const shown = text === '' ? href : text;
    return [{ kind: 'link', href, host, children: [{ kind: 'text', text: shown }] }];
  }

  /** Text with its line breaks, and the people and rooms it names. */
  plain(text: string): Inline[] {
    return text.split('\n').flatMap((line, at) => {
      const start: Inline[] = at === 0 ? [] : [{ kind: 'break' }];
      return [...start, ...this.#named(line)];
    });
  }

  #named(line: string): Inline[] {
    const people = namedIn(line).flatMap(({ from, to, name }) => {
      const person = this.#people.get(name.toLowerCase());
      const text = line.slice(from, to);
      return person === undefined
        ? []
        : [{ from, to, one: { kind: 'mention', text, person } as const }];
    });
    const rooms = roomsIn(line, this.#rooms).map(({ from, to, room }) => {
      return { from, to, one: { kind: 'room', text: line.slice(from, to), room } } as const;
    });
    const found: Inline[] = [];
    let from = 0;
    for (const { from: start, to, one } of [...people, ...rooms].sort((a, b) => a.from - b.from)) {
      // A room may be called after somebody: what begins first is meant.
      if (start < from) continue;
      if (start > from) found.push({ kind: 'text', text: line.slice(from, start) });
      found.push(one);
      from = to;
    }
    if (from < line.length) found.push({ kind: 'text', text: line.slice(from) });
    return found;
  }
}

/** The word after the fence, as far as it names a language. */
const language = (word: unknown): string =>
  typeof word === 'string' ? (/^[\w+#-]{1,20}/.exec(word)?.[0].toLowerCase() ?? '') : '';

/** Links in links are text. */
function unlinked(inline: Inline): Inline[] {
  if (inline.kind === 'link') return [...inline.children];
  return 'children' in inline
    ? [{ ...inline, children: inline.children.flatMap(unlinked) }]
    : [inline];
}

/** Where an address leads, if it may be followed from a message at all. */
function addressOf(written: string): { href: string; host: string; strange: boolean } | null {
  if (!URL.canParse(written)) return null;
  const { protocol, href, host, username, pathname } = new URL(written);
  if (protocol === 'mailto:') return { href, host: pathname, strange: false };
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  // Names before an @, and letters that look like others: what is read is not where it leads.
  return { href, host, strange: username !== '' || host.includes('xn--') };
}

/** The tree of a message. Whatever is written, it does not throw. */
export function parse(
  text: string,
  people: readonly Person[],
  rooms: readonly RoomName[] = [],
): Block[] {
  const reading = new Reading(people, rooms);
  try {
    const tokens = new Lexer({ gfm: true, breaks: true, tokenizer: new ChatTokenizer() }).lex(text);
    return reading.blocks(tokens, 0);
  } catch (error) {
    // Nested deeper than the stack: shown as it was written.
    if (!(error instanceof RangeError)) throw error;
    return [{ kind: 'paragraph', children: reading.plain(text) }];
  }
}
