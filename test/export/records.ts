/** Log records for export tests, as the proxy and the Python program write them. */
import type { LogRecord } from '../../src/logs/record.ts';
import { encodeRecord, logRecord } from '../helpers/log-record.ts';

export interface Exchange extends Partial<Omit<LogRecord, 'request' | 'response'>> {
  /** The parsed body; null leaves it out. */
  request?: unknown;
  response?: unknown;
}

/** A line of the proxy's log: by default a small successful chat. */
export function line(exchange: Exchange = {}): string {
  const { request = chat([user('Hi')]), response = answered({ content: 'Hello' }), ...rest } = exchange;
  const record: LogRecord = logRecord({ ts: '2026-11-23T10:00:00.000Z', model: 'gpt-4o', ...rest });
  record.request = request === null ? undefined : JSON.stringify(request);
  record.response = response === null ? undefined : JSON.stringify(response);
  return encodeRecord(record);
}

/** A chat of one question with this id. */
export function asked(id: string, prompt: string, content: string, more: Exchange = {}): string {
  return line({ id, request: chat([user(prompt)]), response: answered({ content }), ...more });
}

/** A line of feedback about a request. */
export function feedback(about: string, said: object, more: Partial<LogRecord> = {}): string {
  const {
    request: _request,
    response: _response,
    ...record
  } = logRecord({ endpoint: 'feedback', status: 202, finish: null, ...more });
  const { v, ts, id, outcome, status, endpoint, ...rest } = record;
  return encodeRecord({
    v,
    ts,
    id,
    outcome,
    status,
    endpoint,
    feedback: { request_id: about, ...said },
    ...rest,
  } as LogRecord);
}

export function chat(messages: readonly unknown[], more: object = {}): object {
  return { model: 'gpt-4o', messages, ...more };
}

export function user(content: unknown): object {
  return { role: 'user', content };
}

/** A chat completion with one choice. */
export function answered(message: object, finish: string | null = 'stop'): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_795_428_000,
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
  };
}

export function call(id: string, name: string, args: unknown): object {
  return { id, type: 'function', function: { name, arguments: args } };
}

export function tool(name: string): object {
  return {
    type: 'function',
    function: { name, description: `Calls ${name}`, parameters: { type: 'object', properties: {} } },
  };
}
