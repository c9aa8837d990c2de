// JSON in which no field may stand twice: what is signed must read the same for everyone.
import { BytesError } from './bytes';

/** Throws when an object in valid JSON names a field twice. */
function refuseTwice(json: string): void {
  const open: (Set<string> | null)[] = [];
  let last: string | null = null;
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  for (const [token] of json.matchAll(tokens)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token.startsWith('"')) last = token;
    else if (token === ':' && last !== null) {
      const name: unknown = JSON.parse(last);
      const names = open.at(-1);
      if (typeof name !== 'string' || names === null || names === undefined) continue;
      if (names.has(name)) throw new BytesError(`the field ${last.slice(0, 64)} stands twice`);
      names.add(name);
    }
  }
}

/** The value of JSON text without fields that stand twice. */
export function parseUniqueJson(json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new BytesError('not JSON', { cause });
  }
  refuseTwice(json);
  return value;
}
