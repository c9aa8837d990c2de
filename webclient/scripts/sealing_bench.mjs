// What sealing costs in Chromium, unthrottled and as on a slow phone: node scripts/sealing_bench.mjs
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const goals = {
  open: [100, 400],
  kept: [null, null],
  seal: [5, null],
  join: [200, null],
  login: [1000, null],
};
const units = {
  open: 'ms, 1,000 events opened and verified',
  kept: 'ms, the same events after a reload, opened before',
  seal: 'ms, a message sealed',
  join: 'ms, a newcomer opens a room of 100 epochs',
  login: 'ms, the password at login (Argon2id, 64 MiB)',
};

const server = await createServer({ server: { port: 0 }, logLevel: 'error' });
await server.listen();
const { port } = server.httpServer.address();
const profile = await mkdtemp(join(tmpdir(), 'hearth-bench-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
});
try {
  const page = await context.newPage();
  // No page of the application: only its modules.
  await page.route('**/bench', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
  );
  await page.goto(`http://127.0.0.1:${port}/bench`);
  const measure = () =>
    page.evaluate(async () => (await import('/src/testing/sealing_bench.ts')).figures());
  const cdp = await context.newCDPSession(page);
  await measure();
  const full = await measure();
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const slow = await measure();
  console.log('| | unthrottled | goal | 4\u00d7 throttled | goal |\n|---|---|---|---|---|');
  for (const [name, unit] of Object.entries(units)) {
    const [goal, slowGoal] = goals[name].map((ms) => (ms === null ? '' : `\u2264 ${ms}`));
    console.log(
      `| ${unit} | ${full[name].toFixed(1)} | ${goal} | ${slow[name].toFixed(1)} | ${slowGoal} |`,
    );
  }
  console.log(`| bytes of an event beyond its padded body | ${full.overhead} | \u2264 160 | | |`);
} finally {
  await context.close();
  await server.close();
  await rm(profile, { recursive: true, force: true });
}
