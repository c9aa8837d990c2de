// Reading QR codes where the browser can: with the camera, and from a chosen picture.

interface Found {
  readonly rawValue: string;
}

interface Detector {
  detect(source: ImageBitmapSource): Promise<readonly Found[]>;
}

type DetectorMaker = new (options: { formats: readonly string[] }) => Detector;

function isMaker(value: unknown): value is DetectorMaker {
  return typeof value === 'function';
}

/** The browser's own reader of QR codes; null where it has none. */
export function detector(): Detector | null {
  const maker: unknown = Reflect.get(globalThis, 'BarcodeDetector');
  return isMaker(maker) ? new maker({ formats: ['qr_code'] }) : null;
}

/** Whether a code can be scanned here at all. */
export function cameraIsHere(): boolean {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  return devices !== undefined && detector() !== null;
}

/** Bytes of a chosen file at most; a photo of a sheet has less. */
const FILE_BYTES_MAX = 20 * 1024 * 1024;

/** The text in a chosen file: of a text file, or of the QR code in a picture. Null: none. */
export async function codeInFile(file: File): Promise<string | null> {
  if (file.size > FILE_BYTES_MAX) return null;
  if (!file.type.startsWith('image/')) return file.text();
  const reader = detector();
  if (reader === null) return null;
  try {
    const picture = await createImageBitmap(file);
    const [found] = await reader.detect(picture);
    picture.close();
    return found?.rawValue ?? null;
  } catch (error) {
    // Not a picture this browser reads.
    if (error instanceof DOMException) return null;
    throw error;
  }
}
