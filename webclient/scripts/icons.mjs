// Draws the icons of the installed app from public/favicon.svg: node scripts/icons.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const publicFolder = new URL('../public/', import.meta.url);
const svg = readFileSync(new URL('favicon.svg', publicFolder), 'utf8');
/** The sign alone on the whole square: a system cuts its own shape out of the middle 80 %. */
const whole = svg.replace('rx="8"', '').replace(/(<path)/, '<g transform="translate(3.2 3.2) scale(.8)">$1')
  .replace('</svg>', '</g></svg>');
const icons = [
  ['icon-192.png', svg, 192],
  ['icon-512.png', svg, 512],
  ['icon-maskable-512.png', whole, 512],
  ['apple-touch-icon.png', whole, 180],
];

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (const [name, drawing, side] of icons) {
    const page = await browser.newPage({ viewport: { width: side, height: side } });
    const sized = drawing.replace('<svg ', `<svg width="${side}" height="${side}" style="display:block" `);
    await page.setContent(`<body style="margin:0">${sized}</body>`);
    writeFileSync(new URL(name, publicFolder), await page.screenshot({ omitBackground: true }));
    await page.close();
  }
} finally {
  await browser.close();
}
