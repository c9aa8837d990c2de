// The reader of Markdown, loaded with the first message that needs it.
import type { Person } from '../../state/model';
import type { Block } from './tree';

type Parse = (text: string, people: readonly Person[]) => Block[];

let parse = $state.raw<Parse | null>(null);
let asked = false;

/** Null until it is here; whoever asks in a template is told. */
export function markdown(): Parse | null {
  if (!asked) {
    asked = true;
    import('./parse').then(
      (loaded) => (parse = loaded.parse),
      // The network is away: asked again by the next message.
      () => (asked = false),
    );
  }
  return parse;
}

const MARKED = /[*_~`#>[\]|\\<!@]|^\s*(?:[-+]|\d+[.)])\s|:\/\/|www\./m;

/** Whether a text has no sign that means anything. */
export const isPlain = (text: string): boolean => !MARKED.test(text);
