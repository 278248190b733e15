import { lineOf } from '../../src/logs/line-block.ts';
import type { LogRecord } from '../../src/logs/record.ts';
import { Redaction } from '../../src/logs/redaction.ts';

/** Hides what every configuration hides, and nothing else. */
export const plainRedaction = new Redaction({ secrets: [], keys: [] });

/** One log line with its final newline. */
export function encodeRecord(record: LogRecord): string {
  return lineOf(record, plainRedaction).toString();
}

/** A complete record of a successful chat, with `changes` applied. */
export function logRecord(changes: Partial<LogRecord> = {}): LogRecord {
  return {
    v: 1,
    ts: '2026-03-04T05:06:07.000Z',
    id: 'req-1',
    outcome: 'success',
    status: 200,
    endpoint: 'chat',
    stream: false,
    model: 'small',
    provider: 'local',
    upstream_model: 'small-1',
    finish: 'stop',
    fault: null,
    attempts: 1,
    input_tokens: 3,
    cached_tokens: null,
    cache_write_tokens: null,
    output_tokens: 5,
    reasoning_tokens: null,
    cost: 0.000012,
    latency_ms: 12.5,
    first_content_ms: null,
    key: 'team',
    conversation: null,
    score: null,
    // These fields belong to the head.
    user: undefined,
    tags: undefined,
    group: undefined,
    labels: undefined,
    estimate: undefined,
    units: undefined,
    lane: 'relay',
    request_bytes: 58,
    response_bytes: 74,
    user_agent: 'test/1',
    error: null,
    attempt_log: [{ target: 'local/small-1', fault: null, status: 200, ms: 11 }],
    content: 'full',
    request: '{"model":"small","messages":[{"role":"user","content":"Hi"}]}',
    response: '{"choices":[{"message":{"role":"assistant","content":"Hello"}}]}',
    ...changes,
  };
}
