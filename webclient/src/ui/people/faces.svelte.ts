// People's pictures as addresses for `img`, for every component below the one that provides them.
import { getContext, setContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';

type Picture = (avatar: string) => Promise<Blob | null>;

const KEY = Symbol('faces');

export class Faces {
  readonly #picture: Picture;
  /** Avatar → address; null: there is none to show. */
  readonly #urls = new SvelteMap<string, string | null>();
  readonly #asked = new Set<string>();

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  /** Null while it is not here. */
  url(avatar: string | null): string | null {
    return avatar === null ? null : (this.#urls.get(avatar) ?? null);
  }

  /** Sees to it that it comes. */
  want(avatar: string | null): void {
    if (avatar === null || this.#asked.has(avatar)) return;
    this.#asked.add(avatar);
    this.#picture(avatar).then(
      (blob) => this.#urls.set(avatar, blob === null ? null : URL.createObjectURL(blob)),
      // The box is away: the initial stands in, and whoever is drawn next asks again.
      () => this.#asked.delete(avatar),
    );
  }

  /** Gives back the memory of all pictures. */
  clear(): void {
    for (const url of this.#urls.values()) if (url !== null) URL.revokeObjectURL(url);
    this.#urls.clear();
    this.#asked.clear();
  }
}

export function provideFaces(picture: Picture): Faces {
  return setContext(KEY, new Faces(picture));
}

/** Those of a component above; undefined where there are none, as before signing in. */
export const facesHere = (): Faces | undefined => getContext<Faces | undefined>(KEY);
