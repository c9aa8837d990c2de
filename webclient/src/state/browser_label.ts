// What the list of logins calls a browser: its name and system, from what it says of itself.

const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bLinux\b/, 'Linux'],
];

const LABEL_CHARS_MAX = 100;

/** `Firefox · Linux`; a text that is no browser's own is left as it is. */
export function browserLabel(userAgent: string): string {
  const find = (known: typeof browsers): string | undefined =>
    known.find(([pattern]) => pattern.test(userAgent))?.[1];
  const parts = [find(browsers), find(systems)].filter((part) => part !== undefined);
  const known = userAgent.startsWith('Mozilla/') && parts.length > 0;
  return (known ? parts.join(' · ') : userAgent).slice(0, LABEL_CHARS_MAX);
}
