/** The size of an image, from its first bytes. */

export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** No provider accepts longer sides: a larger value means that it is not an image. */
const MAX_SIDE = 100_000;

/**
 * @param base64 its beginning; the exact length does not matter
 * @returns `undefined` if it is not PNG, GIF, WebP or JPEG, or its size is further in
 */
export function pixelsIn(base64: string): Pixels | undefined {
  const bytes = Buffer.from(base64, 'base64');
  const found = sizeOf(bytes);
  const isSound = found && [found.width, found.height].every((side) => side > 0 && side <= MAX_SIDE);
  return isSound ? found : undefined;
}

function sizeOf(bytes: Buffer): Pixels | undefined {
  if (bytes.length < 30) return undefined;
  const text = (start: number, end: number) => bytes.toString('latin1', start, end);
  if (text(1, 4) === 'PNG' && text(12, 16) === 'IHDR')
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (text(0, 4) === 'GIF8') return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return ofWebp(bytes, text(12, 16));
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? ofJpeg(bytes) : undefined;
}

/** @see https://developers.google.com/speed/webp/docs/riff_container */
function ofWebp(bytes: Buffer, chunk: string): Pixels | undefined {
  if (chunk === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (chunk === 'VP8 ')
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (chunk !== 'VP8L') return undefined;
  const bits = bytes.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** The frame header follows any number of other segments. */
function ofJpeg(bytes: Buffer): Pixels | undefined {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
