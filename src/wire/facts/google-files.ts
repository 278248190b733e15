/** Files that only Google can read: sent to another vendor as a URL, the request could only fail there. */
import type { ChatMessage, ContentPart } from '../chat.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf } from '../json.ts';

/**
 * Uploaded to the Gemini API, in Google Cloud Storage, or a video of YouTube, whose address leads to a page.
 * @see https://ai.google.dev/gemini-api/docs/file-input-methods
 */
const GOOGLES =
  /^(?:gs:\/\/|files\/[\w-]+$|https:\/\/generativelanguage\.googleapis\.com\/|https?:\/\/(?:(?:www\.|m\.)?youtube\.com|youtu\.be)\/)/i;

/**
 * For targets that are not Google's.
 * @throws ProxyError `unsupported` naming the part, so that a target of Google's is tried if there is one
 */
export function refuseGoogleFiles(messages: readonly ChatMessage[]): void {
  messages.forEach((message, index) => {
    if (!isObject(message)) return;
    listOf(message.content).forEach((part, place) => {
      const url = isObject(part) ? urlIn(part as ContentPart) : undefined;
      if (typeof url !== 'string' || !GOOGLES.test(url)) return;
      const at = `messages[${index}].content[${place}]`;
      throw new ProxyError(
        'unsupported',
        `Cannot translate ${at}: only Gemini can read the file it refers to`,
        {
          param: at,
        },
      );
    });
  });
}

/** The address in a part of chat that may have one. */
function urlIn(part: ContentPart): unknown {
  const { file_data: data, file_id: id } = objectOf(part.file);
  const given =
    part.image_url ?? part.video_url ?? part.audio_url ?? part.document_url ?? part.file_url ?? data ?? id;
  return isObject(given) ? given.url : given;
}
