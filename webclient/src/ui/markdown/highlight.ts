// Light colours for code: comments, strings, numbers and the words that most languages share.

export interface Piece {
  readonly kind: 'plain' | 'comment' | 'string' | 'number' | 'keyword';
  readonly text: string;
}

const KEYWORDS = new Set(
  (
    'abstract and as async await bool break case catch class const continue def default delete do ' +
    'done echo elif else end enum esac except export extends false fi final finally fn for from ' +
    'func function if impl implements import in int interface is lambda let loop match mod mut ' +
    'new nil none not null or package pass private protected pub public raise return self static ' +
    'string struct super switch then this throw trait true try type typeof undefined use var void ' +
    'where while with yield select insert update into values set create table join on order by'
  ).split(' '),
);

/** Languages whose comments begin with a hash; in others it is not one. */
const HASHED = new Set(
  'bash sh shell zsh python py ruby rb yaml yml toml conf ini perl'.split(' '),
);

const slashed = String.raw`\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)`;
const hashed = String.raw`(?<![\w$])#[^\n]*`;
const rest = String.raw`("(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'|\u0060(?:\\[^]|[^\u0060\\])*\u0060)|(\b\d[\w.]*)|([A-Za-z_]\w*)`;
const pattern = { slashed: `(${slashed})|${rest}`, hashed: `(${hashed})|${rest}` };

/** Code in pieces; joined they are the code again. */
export function highlight(code: string, language: string): Piece[] {
  const pieces: Piece[] = [];
  const marks = new RegExp(HASHED.has(language) ? pattern.hashed : pattern.slashed, 'g');
  let from = 0;
  for (const match of code.matchAll(marks)) {
    const [text, comment, string, number, word] = match;
    if (word !== undefined && !KEYWORDS.has(word.toLowerCase())) continue;
    if (match.index > from) pieces.push({ kind: 'plain', text: code.slice(from, match.index) });
    const kind =
      comment !== undefined
        ? 'comment'
        : string !== undefined
          ? 'string'
          : number !== undefined
            ? 'number'
            : 'keyword';
    pieces.push({ kind, text });
    from = match.index + text.length;
  }
  if (from < code.length) pieces.push({ kind: 'plain', text: code.slice(from) });
  return pieces;
}
