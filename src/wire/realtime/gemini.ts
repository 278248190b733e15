/** Gemini's Live API. @see https://ai.google.dev/api/live */
import type { JsonObject } from '../json.ts';
import type { Usage } from '../usage.ts';
import type { RealtimeProtocol, SessionMessage, ProviderEvent } from './protocol.ts';
import { Groundings } from '../gemini/groundings.ts';
import { geminiUsage } from '../gemini/usage.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { findOtherModels } from '../other-models.ts';
import { plainUsage, withUnits } from '../usage.ts';
import { parseMessage, unreadableModels } from './protocol.ts';

/** Fields other than audio and video; a message without any of them need not be parsed. */
const READ = /"(?:usageMetadata|groundingMetadata|text|turnComplete|functionCalls)"/;

/** Client messages that cause the model to respond. */
const WORKING = ['clientContent', 'client_content', 'realtimeInput', 'realtime_input'];
const RESPONSES = ['toolResponse', 'tool_response'];

export const geminiLive: RealtimeProtocol = {
  name: 'gemini',
  greets: false,
  *clientEvent(text) {
    const message = yield* parseMessage(text);
    if (!isObject(message)) return { works: true, models: unreadableModels };
    const setup = setupOf(message);
    if (setup) return { works: false, session: settingsOf(setup), models: () => modelsIn(setup) };
    const works = [...WORKING, ...RESPONSES].some((field) => field in message);
    return { works, turns: [...turnsIn(message), ...resultsIn(message)], models: () => [] };
  },
  *providerEvent(text) {
    if (!READ.test(text)) return {};
    const message = yield* parseMessage(text);
    return isObject(message) ? providerEventOf(message) : {};
  },
  errorEvent: () => undefined,
};

/** The setup message that begins a session; `undefined` for other messages. */
export function setupOf(message: JsonObject): JsonObject | undefined {
  return isObject(message.setup) ? message.setup : undefined;
}

/** The model's bare name in a setup: "models/x", or the full path at Vertex. */
export function liveModel(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function modelsIn(setup: JsonObject): string[] {
  const model = liveModel(stringOf(setup.model) ?? '');
  const models = model === '' ? [] : [model];
  findOtherModels(setup, model, (name) => void models.push(name));
  return models;
}

function providerEventOf(message: JsonObject): ProviderEvent {
  const content = objectOf(message.serverContent);
  const usage = usageOf(message);
  const calls = listOf(objectOf(message.toolCall).functionCalls).map(objectOf);
  const userText = stringOf(objectOf(content.inputTranscription).text);
  const modelText = stringOf(objectOf(content.outputTranscription).text);
  const written = textOf(objectOf(content.modelTurn).parts);
  const piece = [
    ...(userText === undefined ? [] : [{ role: 'user' as const, text: userText }]),
    ...[modelText, written === '' ? undefined : written].flatMap((text) =>
      text === undefined ? [] : [{ role: 'assistant' as const, text }],
    ),
  ];
  // An interrupted turn is followed by turnComplete as well.
  const answer = content.turnComplete === true ? 'ends' : isObject(content.modelTurn) ? 'begins' : undefined;
  return { usage, answer, piece, turns: calls.length === 0 ? [] : [calling(calls)] };
}

/** The grounding of an answer may be in a message of its own. */
function usageOf(message: JsonObject): Usage | undefined {
  const groundings = new Groundings();
  groundings.add(message);
  const { units } = groundings;
  const reported = geminiUsage(message.usageMetadata);
  return withUnits(reported ?? (Object.keys(units).length > 0 ? plainUsage(0, 0) : undefined), units);
}

function calling(calls: readonly JsonObject[]): SessionMessage {
  return {
    role: 'assistant',
    content: null,
    tool_calls: calls.map((call) => ({
      id: stringOf(call.id) ?? '',
      type: 'function',
      function: { name: stringOf(call.name) ?? '', arguments: JSON.stringify(call.args ?? {}) },
    })),
  };
}

function turnsIn(message: JsonObject): SessionMessage[] {
  const content = objectOf(message.clientContent ?? message.client_content);
  const turns = listOf(content.turns)
    .map(objectOf)
    .map(({ role, parts }): SessionMessage => {
      return { role: role === 'model' ? 'assistant' : 'user', content: textOf(parts) };
    });
  const text = stringOf(objectOf(message.realtimeInput ?? message.realtime_input).text);
  const typed: SessionMessage[] = text === undefined ? [] : [{ role: 'user', content: text }];
  return [...turns, ...typed].filter(({ content: words }) => words !== '');
}

function resultsIn(message: JsonObject): SessionMessage[] {
  const { functionResponses, function_responses: spelled } = objectOf(
    message.toolResponse ?? message.tool_response,
  );
  return listOf(functionResponses ?? spelled)
    .map(objectOf)
    .map(({ id, response }) => ({
      role: 'tool',
      content: JSON.stringify(response ?? {}),
      tool_call_id: stringOf(id) ?? '',
    }));
}

function settingsOf(setup: JsonObject): JsonObject {
  const { systemInstruction, system_instruction: spelled, tools } = setup;
  const instructions = textOf(objectOf(systemInstruction ?? spelled).parts);
  return { ...(instructions === '' ? {} : { instructions }), ...(tools === undefined ? {} : { tools }) };
}

/** The texts of parts; thoughts, audio and images are left out. */
function textOf(parts: unknown): string {
  return listOf(parts)
    .map(objectOf)
    .filter(({ thought }) => thought !== true)
    .map(({ text }) => stringOf(text) ?? '')
    .join('');
}
