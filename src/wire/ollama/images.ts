/** The beginnings of images in base64. */
const BEGINNINGS = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
  ['Qk', 'image/bmp'],
] as const;

/** Plain base64 as a data URL: the first bytes tell the type. A URL is kept. */
export function imageUrl(image: string): string {
  if (/^(?:data:|https?:\/\/)/i.test(image)) return image;
  const type = BEGINNINGS.find(([beginning]) => image.startsWith(beginning))?.[1] ?? 'image/jpeg';
  return `data:${type};base64,${image}`;
}

const DATA = /^data:[^,]*;base64,/i;

/** An image as plain base64; `undefined` for one that is only referenced. */
export function bareImage(url: string): string | undefined {
  const [head] = DATA.exec(url.slice(0, 200)) ?? [];
  return head === undefined ? undefined : url.slice(head.length);
}
