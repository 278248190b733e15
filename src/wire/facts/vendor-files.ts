/** Files that only one vendor can read: at any other, the request could only fail. */
import type { ChatMessage, ContentPart } from '../chat.ts';
import type { ProtocolName } from '../protocol.ts';
import type { Quirks } from '../quirks.ts';
import { ProxyError } from '../../errors.ts';
import { isObject, listOf, objectOf } from '../json.ts';

export interface Reader {
  readonly protocol: ProtocolName;
  readonly quirks: Quirks;
  /** Its name at the provider. */
  readonly model: string;
}

interface Row {
  /** The ids or addresses of its files. */
  readonly match: RegExp;
  /** Who can read them. */
  readonly owner: string;
  /** Whether a target is, or leads to, its owner. */
  readonly reads: (target: Reader) => boolean;
  readonly source: string;
}

const ROWS: readonly Row[] = [
  {
    // Uploaded to the Gemini API, in Google Cloud Storage, or a video of YouTube, whose address leads to a page.
    match:
      /^(?:gs:\/\/|files\/[\w-]+$|https:\/\/generativelanguage\.googleapis\.com\/|https?:\/\/(?:(?:www\.|m\.)?youtube\.com|youtu\.be)\/)/i,
    owner: 'Gemini',
    reads: isGemini,
    source: 'https://ai.google.dev/gemini-api/docs/file-input-methods',
  },
  {
    match: /^file_01[A-Za-z0-9]{20,}$/,
    owner: 'Claude',
    reads: ({ protocol, model }) => protocol === 'messages' || leadsTo(/claude|anthropic/i, protocol, model),
    source: 'https://platform.claude.com/docs/en/build-with-claude/files',
  },
  {
    match: /^file-[A-Za-z0-9]{20,}$/,
    owner: 'OpenAI',
    reads: ({ protocol }) => protocol === 'chat' || protocol === 'responses',
    source: 'https://platform.openai.com/docs/api-reference/files/object',
  },
];

/** Google's own endpoint for chat is recognised by the signatures of calls, which no other accepts. */
function isGemini({ protocol, quirks, model }: Reader): boolean {
  if (protocol === 'gemini' || quirks.keeps?.includes('extra_content')) return true;
  return leadsTo(/gemini/i, protocol, model);
}

/** A gateway of OpenAI's APIs is recognised by the name of the model to which it forwards the request. */
function leadsTo(models: RegExp, protocol: ProtocolName, model: string): boolean {
  return (protocol === 'chat' || protocol === 'responses') && models.test(model);
}

/** @throws ProxyError `unsupported` naming the part, so that a target of the file's owner is tried if there is one */
export function refuseForeignFiles(messages: readonly ChatMessage[], target: Reader): void {
  messages.forEach((message, index) => {
    if (!isObject(message)) return;
    listOf(message.content).forEach((part, place) => {
      const file = isObject(part) ? fileIn(part as ContentPart) : undefined;
      if (typeof file !== 'string') return;
      const row = ROWS.find(({ match }) => match.test(file));
      if (!row || row.reads(target)) return;
      const at = `messages[${index}].content[${place}]`;
      const state = `only ${row.owner} can read the file it refers to`;
      throw new ProxyError('unsupported', `Cannot translate ${at}: ${state}`, { param: at });
    });
  });
}

/** The id or the address in a part of chat that may have one. */
function fileIn(part: ContentPart): unknown {
  const { file_data: data, file_id: id } = objectOf(part.file);
  const given =
    part.image_url ?? part.video_url ?? part.audio_url ?? part.document_url ?? part.file_url ?? data ?? id;
  return isObject(given) ? given.url : given;
}
