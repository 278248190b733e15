/** Files that contain text: chat servers and models without file input understand them as text. */
import { isUtf8 } from 'node:buffer';
import type { ChatMessage, ContentPart } from '../chat.ts';
import { isObject, stringOf } from '../json.ts';

/** Media types of text besides `text/...`. */
const TEXT_TYPES =
  /^data:(?:text\/[\w.+-]+|application\/(?:json|x-ndjson|jsonl|xml|yaml|x-yaml|toml|javascript|x-sh|x-python|sql|[\w.-]+\+(?:json|xml)))(?:;[^,]{0,100}?)?;base64,/i;

/** A message with the text of such files in place of the files. The same object if it has none. */
export function withTextOfFiles(message: ChatMessage): ChatMessage {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  const content = message.content.map((part) => (isObject(part) ? asText(part as ContentPart) : part));
  return content.every((part, at) => part === (message.content as unknown[])[at])
    ? message
    : ({ ...message, content } as ChatMessage);
}

function asText(part: ContentPart): ContentPart {
  const data = part.type === 'file' ? stringOf(part.file?.file_data) : undefined;
  const found = data === undefined ? null : TEXT_TYPES.exec(data.slice(0, 300));
  if (!found) return part;
  const bytes = Buffer.from(data!.slice(found[0].length), 'base64');
  // Text in another encoding would be garbled, and is decoded so slowly that others would wait.
  if (!isUtf8(bytes)) return part;
  const text = new TextDecoder().decode(bytes);
  const { cache_control: mark } = part;
  const name = part.file?.filename;
  return {
    type: 'text',
    text: name === undefined ? text : `${name}\n\n${text}`,
    ...(mark === undefined ? {} : { cache_control: mark }),
  };
}
