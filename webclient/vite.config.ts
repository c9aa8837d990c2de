// How the web client is built, served while developing, and tested.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the appliance. */
const appliance = process.env['HEARTH'] ?? 'http://127.0.0.1:8080';

const WORKER = 'sw.js';
/** Kept beside what is built: from public/. */
const BESIDE = ['/favicon.svg', '/manifest.webmanifest'];

/** Writes into the service worker which files the app has, and a version that changes with them. */
function shell(): Plugin {
  return {
    name: 'hearth-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle[WORKER];
        if (worker?.type !== 'chunk') return;
        const hash = createHash('sha256');
        const files = Object.entries(bundle).filter(([name]) => name !== WORKER);
        for (const [name, file] of files.sort(([one], [other]) => (one < other ? -1 : 1))) {
          hash.update(name).update(file.type === 'chunk' ? file.code : file.source);
        }
        const paths = files.map(([name]) => (name === 'index.html' ? '/' : `/${name}`));
        worker.code = worker.code
          .replaceAll('__SHELL_FILES__', JSON.stringify([...paths, ...BESIDE]))
          .replaceAll('__SHELL_VERSION__', JSON.stringify(hash.digest('hex').slice(0, 16)));
      },
    },
  };
}

export default defineConfig({
  plugins: [svelte(), shell()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    rollupOptions: {
      input: { index: 'index.html', sw: 'src/shell/sw.ts' },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? WORKER : 'assets/[name]-[hash].js'),
        // What several screens share comes as one: each of fifty small files has a head of half a KiB.
        codeSplitting: {
          groups: [
            {
              name: 'pieces',
              test: /\/src\/ui\/(?!words|markdown|emoji)|@lucide/,
              minShareCount: 3,
            },
          ],
        },
      },
    },
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/api': appliance,
      '/health': appliance,
      '/mqtt': { target: appliance, ws: true },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'], testTimeout: 60_000 },
});
