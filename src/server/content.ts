import type { LogContent } from '../config/schema.ts';
import type { JsonObject } from '../wire/json.ts';
import type { HeaderMap } from '../wire/headers.ts';
import type { Client } from './client.ts';
import type { ServerContext } from './context.ts';
import { isObject, stringOf } from '../wire/json.ts';

const CONTENT_ORDER: readonly LogContent[] = ['full', 'metadata', 'none'];

/** The most restrictive of what the configuration, the key and the client allow to be logged. */
export function contentFor(
  { logging }: Pick<ServerContext, 'logging'>,
  client: Client,
  headers: HeaderMap,
): LogContent {
  const configured = client.content ?? logging.content;
  const requested = logging.allow_header ? headers['x-llmproxy-log'] : undefined;
  if (requested === undefined) return configured;
  const wish = CONTENT_ORDER.indexOf(requested as LogContent);
  return CONTENT_ORDER[Math.max(wish, CONTENT_ORDER.indexOf(configured))]!;
}

const MAX_TEXT = 200;
const MAX_NAME = 64;
const MAX_TAGS = 16;

/** The conversation that the client assigns the request to. */
export function conversationOf(headers: HeaderMap): string | null {
  const id = headers['x-conversation-id'] ?? headers['x-session-id'] ?? headers['x-claude-code-session-id'];
  return id === undefined ? null : id.slice(0, MAX_TEXT);
}

/** The end user that the client names: OpenAI's fields, or Anthropic's. */
export function userOf(body: JsonObject): string | null {
  const metadata = isObject(body.metadata) ? body.metadata.user_id : undefined;
  const user = stringOf(body.user) ?? stringOf(body.safety_identifier) ?? stringOf(metadata);
  return user === undefined ? null : user.slice(0, MAX_TEXT).toWellFormed();
}

/**
 * The client's tags for the request: `x-llmproxy-tags: team=search, run=7`, and the texts in OpenAI's `metadata`. The
 * header takes precedence; at most 16 tags.
 */
export function tagsOf(headers: HeaderMap, body: JsonObject): Record<string, string> | null {
  const header = headers['x-llmproxy-tags'];
  const { metadata } = body;
  if (header === undefined && !isObject(metadata)) return null;
  const named = (header ?? '').split(',').map((part): [string, unknown] => {
    const at = part.indexOf('=');
    return at < 1 ? ['', ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  const given = isObject(metadata) ? Object.entries(metadata).filter(([name]) => name !== 'user_id') : [];
  const tags = [...given.slice(0, MAX_TAGS), ...named]
    .filter((tag): tag is [string, string] => tag[0] !== '' && typeof tag[1] === 'string')
    .map(([name, value]) => [
      name.slice(0, MAX_NAME).toWellFormed(),
      value.slice(0, MAX_TEXT).toWellFormed(),
    ]);
  return tags.length === 0 ? null : Object.fromEntries(tags.slice(-MAX_TAGS));
}
