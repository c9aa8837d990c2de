// One recording sounds at a time.
let now: HTMLAudioElement | null = null;

/** This one is played: another one that plays is paused. */
export function alone(audio: HTMLAudioElement): void {
  if (now !== null && now !== audio) now.pause();
  now = audio;
}
