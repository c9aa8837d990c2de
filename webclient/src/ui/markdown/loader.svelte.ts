// The reader of Markdown, loaded with the first message that needs it.
import type { Person } from '../../state/model';
import type { RoomName } from './rooms';
import type { Block } from './tree';

type Parse = (text: string, people: readonly Person[], rooms: readonly RoomName[]) => Block[];

let parse = $state.raw<Parse | null>(null);
let asked = false;

/** So many messages are kept read: a long list is drawn again and again. */
const keptMax = 2_000;

function remembering(read: Parse): Parse {
  const known = new Map<string, Block[]>();
  let names = '';
  return (text, people, rooms) => {
    const now = [...people, ...rooms].map(({ id, name }) => `${id} ${name}`).join();
    if (now !== names || known.size >= keptMax) known.clear();
    names = now;
    const kept = known.get(text) ?? read(text, people, rooms);
    known.set(text, kept);
    return kept;
  };
}

/** Null until it is here; whoever asks in a template is told. */
export function markdown(): Parse | null {
  if (!asked) {
    asked = true;
    import('./parse').then(
      (loaded) => (parse = remembering(loaded.parse)),
      // The network is away: asked again by the next message.
      () => (asked = false),
    );
  }
  return parse;
}

const MARKED = /[*_~`#>[\]|\\<!@]|^\s*(?:[-+]|\d+[.)])\s|:\/\/|www\./m;

/** Whether a text has no sign that means anything. */
export const isPlain = (text: string): boolean => !MARKED.test(text);
