/** OpenAI's Realtime API. @see https://platform.openai.com/docs/api-reference/realtime */
import type { JsonObject } from '../json.ts';
import type { ClientEvent, RealtimeProtocol, SessionMessage, ProviderEvent } from './protocol.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { findOtherModels } from '../other-models.ts';
import { openaiUsage } from '../usage.ts';
import { parseMessage, unreadableModels } from './protocol.ts';

/** Audio deltas: most of the traffic, and not parsed. */
const SOUND = /^\s*\{\s*"type"\s*:\s*"response\.(?:output_)?audio\.delta"/;

const APPEND = /^\s*\{[^{}[\]]{0,200}?"type"\s*:\s*"input_audio_buffer\.append"/;

const NOTHING: ProviderEvent = {};
const SPOKEN: ClientEvent = { works: true, minor: true };

/** Events that cause the model to respond. With server-side voice activity detection, any audio may. */
const WORKING: ReadonlySet<unknown> = new Set(['response.create', 'input_audio_buffer.commit']);

/** Settings of a session that only concern audio and its format. */
const KEPT = ['instructions', 'tools', 'modalities', 'output_modalities'] as const;

export const openaiRealtime: RealtimeProtocol = {
  name: 'openai',
  greets: true,
  *clientEvent(text) {
    if (isAppend(text)) return SPOKEN;
    const event = yield* parseMessage(text);
    // The provider decides what it means.
    if (!isObject(event)) return { works: true, models: unreadableModels };
    const { type, session, response } = event;
    const models = () => [session, response].flatMap((each) => (isObject(each) ? modelsIn(each) : []));
    if (type === 'input_audio_buffer.append') return { ...SPOKEN, models };
    if (type === 'conversation.item.create')
      return { works: false, turns: itemOf(objectOf(event.item)), models };
    const clientEvent = { works: WORKING.has(type), asks: type === 'response.create', models };
    return type === 'session.update'
      ? { ...clientEvent, session: sessionOf(objectOf(session)) }
      : clientEvent;
  },
  *providerEvent(text) {
    if (SOUND.test(text)) return NOTHING;
    const event = yield* parseMessage(text);
    return isObject(event) ? providerEventOf(event) : NOTHING;
  },
  errorEvent: ({ code, type, message }, id) =>
    JSON.stringify({
      type: 'error',
      event_id: `event_${id}`,
      error: { type, code, message, param: null, event_id: null },
    }),
};

/**
 * Whether a message is certainly an audio event, without parsing all of it: it has exactly one `type`, and no escapes
 * that could hide a second one.
 */
function isAppend(text: string): boolean {
  if (!APPEND.test(text) || text.includes('\\')) return false;
  return text.indexOf('"type"') === text.lastIndexOf('"type"');
}

function providerEventOf(event: JsonObject): ProviderEvent {
  switch (event.type) {
    case 'response.created':
      return { answer: 'begins' };
    case 'response.done': {
      const response = objectOf(event.response);
      const turns = listOf(response.output).flatMap((item) => itemOf(objectOf(item)));
      return { answer: 'ends', usage: openaiUsage(response.usage), turns };
    }
    case 'conversation.item.input_audio_transcription.completed':
      return { turns: [{ role: 'user', content: stringOf(event.transcript) ?? '' }] };
    case 'error':
      return { error: event };
    default:
      return NOTHING;
  }
}

/** The models in the settings of a session or a response. Some servers change the model of an open session. */
function modelsIn(settings: JsonObject): string[] {
  const model = stringOf(settings.model);
  const models = model === undefined ? [] : [model];
  findOtherModels(settings, model ?? '', (name) => void models.push(name));
  return models;
}

function sessionOf(session: JsonObject): JsonObject {
  return Object.fromEntries(KEPT.flatMap((key) => (key in session ? [[key, session[key]]] : [])));
}

function itemOf(item: JsonObject): SessionMessage[] {
  const id = stringOf(item.call_id) ?? '';
  if (item.type === 'function_call') {
    const called = { name: stringOf(item.name) ?? '', arguments: stringOf(item.arguments) ?? '' };
    return [{ role: 'assistant', content: null, tool_calls: [{ id, type: 'function', function: called }] }];
  }
  if (item.type === 'function_call_output')
    return [{ role: 'tool', content: stringOf(item.output) ?? '', tool_call_id: id }];
  const content = listOf(item.content)
    .map(objectOf)
    .map((part) => stringOf(part.text) ?? stringOf(part.transcript) ?? '')
    .join('');
  return content === '' ? [] : [{ role: item.role === 'assistant' ? 'assistant' : 'user', content }];
}
