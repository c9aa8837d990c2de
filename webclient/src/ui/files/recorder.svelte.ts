// Records a voice message: the microphone, the time, and how loud it was.
import { PEAKS_MAX, VOICE_MS_MAX } from '../../protocol/attachment';
import type { Recording } from '../../state/files_model';
import type { Problem } from '../../state/model';
import { peaksOf } from './peaks';

/** How often loudness is looked at. */
const LOOK_MS = 50;
/** Enough for speech; a quarter of an hour takes less than 4 MB. */
const BITS_PER_SECOND = 32_000;
/** The first that this browser writes. */
const TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];

/** Whether this page can record at all; never outside a secure context. */
export const canRecord = (): boolean =>
  typeof MediaRecorder !== 'undefined' && 'mediaDevices' in navigator;

const problem = (code: string, message: string): Problem => ({ code, message, hint: '' });

async function microphone(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'NotAllowedError' || name === 'SecurityError') {
      throw problem('microphone_denied', 'the browser does not give the microphone');
    }
    throw problem('no_microphone', 'there is no microphone');
  }
}

export class Recorder {
  state = $state<'asking' | 'recording' | 'done'>('asking');
  elapsedMs = $state(0);
  /** The last moments, 0 to 255, while it records. */
  live = $state.raw<readonly number[]>([]);
  recording = $state.raw<Recording | null>(null);
  readonly #loudness: number[] = [];
  #parts: Blob[] = [];
  #media: MediaRecorder | null = null;
  #end: (() => void)[] = [];
  #given = false;

  /** Asks for the microphone and begins; rejects with a Problem. */
  async start(): Promise<void> {
    const stream = await microphone();
    this.#end.push(() => stream.getTracks().forEach((track) => track.stop()));
    if (this.#given) return this.cancel();
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const media = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      ...(mimeType === undefined ? {} : { mimeType }),
    });
    this.#media = media;
    media.ondataavailable = ({ data }) => this.#parts.push(data);
    this.#listen(stream);
    media.start();
    this.state = 'recording';
  }

  #listen(stream: MediaStream): void {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const began = performance.now();
    const look = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
      this.#loudness.push(Math.sqrt(power));
      this.live = peaksOf(this.#loudness.slice(-PEAKS_MAX), PEAKS_MAX);
      this.elapsedMs = performance.now() - began;
      if (this.elapsedMs >= VOICE_MS_MAX) void this.stop();
    }, LOOK_MS);
    this.#end.push(
      () => clearInterval(look),
      () => void context.close(),
    );
  }

  /** Ends it; null when nothing was recorded. */
  async stop(): Promise<Recording | null> {
    const media = this.#media;
    if (media !== null && media.state !== 'inactive') {
      const stopped = new Promise<void>((resolve) => (media.onstop = () => resolve()));
      media.stop();
      await stopped;
      const file = new Blob(this.#parts, { type: media.mimeType });
      const peaks = peaksOf(this.#loudness, PEAKS_MAX);
      this.recording = { file, durationMs: this.elapsedMs, peaks };
      this.state = 'done';
      this.#release();
    }
    return this.recording;
  }

  /** Nothing is left of it, and the microphone is free. */
  cancel(): void {
    this.#given = true;
    if (this.#media?.state === 'recording') this.#media.stop();
    this.#parts = [];
    this.recording = null;
    this.#release();
  }

  #release(): void {
    for (const end of this.#end) end();
    this.#end = [];
  }
}
