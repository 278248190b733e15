/** Restrictions of hosts on images: in user messages, with limits on number, type and size. */
import type { Message, Part } from '../conversation/conversation.ts';
import { RejectError } from '../errors.ts';
import { partsOf } from './turns.ts';

export interface ImageRules {
  /** Whether an image may be a URL; otherwise it must be embedded as data. */
  readonly urls: boolean;
  /** Subtypes of `image/`. */
  readonly types: readonly string[];
  /** The largest number per row. */
  readonly most?: number;
  /** If one message is a list of parts, all messages with content must be. */
  readonly allParts?: true;
}

const MAX_BYTES = 10 * 1024 ** 2;
const DATA = /^data:image\/([a-z]+);base64,/i;

/** @throws RejectError when there are more images than the host accepts, or one that it does not accept */
export function boundedImages(messages: readonly Message[], rules: ImageRules): void {
  const images = messages
    .flatMap(({ content }) => partsOf(content))
    .filter((part) => part.type === 'image_url');
  if (images.length > (rules.most ?? Infinity)) throw new RejectError('too_many_images');
  for (const image of images)
    if (!isImage(image.image_url.url, rules)) throw new RejectError('unsupported_content');
}

/** Whether the host accepts an image at this URL. */
export function isImage(url: string, { urls, types }: ImageRules): boolean {
  if (/^https?:\/\//i.test(url)) return urls;
  const data = DATA.exec(url);
  // Four characters of base64 are three bytes.
  return (
    data !== null &&
    types.includes(data[1]!.toLowerCase()) &&
    ((url.length - data[0].length) * 3) / 4 <= MAX_BYTES
  );
}

/**
 * A part with the registered name of its type: many programs write image/jpg, or image/PNG, which hosts do not know.
 */
export function namedImage(part: Part): Part {
  if (part.type !== 'image_url') return part;
  const url = part.image_url.url.replace(DATA, (_, type: string) => {
    const name = type.toLowerCase();
    return `data:image/${name === 'jpg' ? 'jpeg' : name};base64,`;
  });
  return { ...part, image_url: { ...part.image_url, url } };
}
