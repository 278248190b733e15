import type { JsonObject } from '../../src/wire/json.ts';
import type { ClassName } from './classes.ts';
import { isObject, listOf, objectOf, parseJson, stringOf } from '../../src/wire/json.ts';
import { CLASSES } from './classes.ts';

/** The body of an answer as a client reads it. */
export interface Told {
  readonly text: string;
  /** Whether it is marked as complete: by its terminator, or by the end of an unstreamed body. */
  readonly finished: boolean;
  /** The error that it contains, as JSON. */
  readonly error: string | undefined;
}

/** Reads a body as the clients of its endpoint do. */
export function readAnswer(name: ClassName, status: number | undefined, body: string): Told {
  const { endpoint, stream } = CLASSES[name];
  if (status !== 200) {
    const error = objectOf(parseJson(body)).error;
    return { text: '', finished: false, error: error === undefined ? undefined : JSON.stringify(error) };
  }
  if (!stream) return readWhole(name, body);
  const events = body.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
  const parsed = events.map((data) => parseJson(data)).filter(isObject);
  const failed = parsed.find(isError);
  return {
    text: parsed.map((event) => pieceOf(endpoint, event)).join(''),
    finished: endpoint === 'chat' ? events.includes('[DONE]') : parsed.some(({ type }) => isLast(type)),
    error: failed && JSON.stringify(failed),
  };
}

function readWhole(name: ClassName, body: string): Told {
  const value = objectOf(parseJson(body));
  const { endpoint } = CLASSES[name];
  const error = value.error === undefined || value.error === null ? undefined : JSON.stringify(value.error);
  if (endpoint === 'messages.count_tokens') {
    return { text: '', finished: typeof value.input_tokens === 'number', error };
  }
  const texts =
    endpoint === 'chat'
      ? listOf(value.choices).map((choice) => stringOf(objectOf(objectOf(choice).message).content))
      : endpoint === 'messages'
        ? listOf(value.content).map((part) => stringOf(objectOf(part).text))
        : listOf(value.output).flatMap((item) =>
            listOf(objectOf(item).content).map((part) => stringOf(objectOf(part).text)),
          );
  const whole = endpoint !== 'responses' || value.status === 'completed' || value.status === 'incomplete';
  return { text: texts.join(''), finished: whole && texts.length > 0, error };
}

function pieceOf(endpoint: string, event: JsonObject): string {
  if (endpoint === 'chat') {
    return stringOf(objectOf(objectOf(listOf(event.choices)[0]).delta).content) ?? '';
  }
  if (event.type === 'content_block_delta') return stringOf(objectOf(event.delta).text) ?? '';
  return event.type === 'response.output_text.delta' ? (stringOf(event.delta) ?? '') : '';
}

function isLast(type: unknown): boolean {
  return type === 'message_stop' || type === 'response.completed' || type === 'response.incomplete';
}

function isError({ type, error }: JsonObject): boolean {
  return type === 'error' || type === 'response.failed' || (error !== undefined && error !== null);
}
