// The committed pictures of the screens: WebP at three quarters, compared at one quarter of their size,
// where Chromium and fonts are the same (docs/decisions/0049).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = new URL('baseline/', import.meta.url).pathname;
const OUTPUT = new URL('output/', import.meta.url).pathname;
const FONTS = join(FOLDER, 'fonts.json');

/**
 * Of 255, by which a colour of the small picture may differ, and the share of points that may differ
 * more: keeping the pictures small makes up to 0.018 of them differ, another screen 0.08 and more.
 */
const COLOUR = 40;
const SHARE = 0.025;

/** What pictures depend on beside the program: how wide this browser sets some texts. */
const widths = (page) =>
  page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d');
    const fonts = ['16px system-ui', '650 28px system-ui', '13px monospace', '20px sans-serif'];
    return fonts.map((font) => {
      context.font = font;
      return `${font}: ${['Hamburgefonstiv', '😀👍', 'été'].map((text) => context.measureText(text).width.toFixed(2))}`;
    });
  });

export class Baseline {
  constructor(page, writes, applies, why) {
    this.page = page;
    this.writes = writes;
    this.applies = applies;
    this.why = why;
  }

  static async open(browser, writes) {
    const page = await browser.newPage();
    const here = JSON.stringify({ chromium: browser.version().split('.')[0], widths: await widths(page) }, null, 1);
    mkdirSync(OUTPUT, { recursive: true });
    if (writes) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(FONTS, `${here}\n`);
    }
    const applies = existsSync(FONTS) && readFileSync(FONTS, 'utf8').trim() === here;
    return new Baseline(page, writes, applies, 'another Chromium or other fonts than the pictures');
  }

  end() {
    return this.page.close();
  }

  /** Null: as committed, or not to be compared here; else what is different. `only`: writes nothing. */
  async compare(name, png, only = false) {
    const path = join(FOLDER, `${name}.webp`);
    if (this.writes && !only) {
      writeFileSync(path, Buffer.from(await this.#webp(png), 'base64'));
      return null;
    }
    if (!this.applies) return null;
    if (!existsSync(path)) return 'there is no picture of it: SCREENS=write';
    const share = await this.#different(readFileSync(path), png);
    if (share <= SHARE) return null;
    if (!only) writeFileSync(join(OUTPUT, `${name}.png`), png);
    return `${(share * 100).toFixed(1)} % differ; see tests/browser/output/${name}.png`;
  }

  #webp(png) {
    return this.page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes]));
      const [width, height] = [0.75 * image.width, 0.75 * image.height].map(Math.round);
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, width, height);
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.4 });
      const out = new Uint8Array(await blob.arrayBuffer());
      return btoa(Array.from(out, (byte) => String.fromCharCode(byte)).join(''));
    }, png.toString('base64'));
  }

  #different(kept, taken) {
    return this.page.evaluate(
      async ([one, other, colour]) => {
        const [was, is] = await Promise.all(
          [one, other].map((base64) => {
            const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
            return createImageBitmap(new Blob([bytes]));
          }),
        );
        const [width, height] = [is.width >> 2, is.height >> 2];
        if (Math.abs(was.width / was.height - is.width / is.height) > 0.01) return 1;
        const small = (image) => {
          const context = new OffscreenCanvas(width, height).getContext('2d');
          context.imageSmoothingQuality = 'high';
          context.drawImage(image, 0, 0, width, height);
          return context.getImageData(0, 0, width, height);
        };
        const [a, b] = [small(was), small(is)];
        let differ = 0;
        for (let at = 0; at < a.data.length; at += 4) {
          const off = [0, 1, 2].some((n) => Math.abs(a.data[at + n] - b.data[at + n]) > colour);
          if (off) differ += 1;
        }
        return (4 * differ) / a.data.length;
      },
      [kept.toString('base64'), taken.toString('base64'), COLOUR],
    );
  }
}
