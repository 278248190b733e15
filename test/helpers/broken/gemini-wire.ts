import type { ErrorAnswer } from './errors.ts';
import type { Wire, WireOptions } from './wire.ts';
import { MALFORMED, USAGE } from './wire.ts';

/** Google's names of statuses. */
const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/**
 * Gemini's API. Its last event contains the finish reason, and nothing follows it.
 * @see https://ai.google.dev/api/generate-content#generatecontentresponse
 */
export function geminiWire({ id, model }: WireOptions): Wire {
  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
  const frame = { modelVersion: model, responseId: id };
  const input = { promptTokenCount: USAGE.input };
  const usage = { ...input, candidatesTokenCount: USAGE.output, totalTokenCount: USAGE.input + USAGE.output };
  const candidate = (parts: readonly object[], more: object = {}) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
  });
  const piece = (parts: readonly object[]) =>
    event({ ...candidate(parts), ...frame, usageMetadata: { ...input, totalTokenCount: USAGE.input } });
  const errorBody = ({ status, gemini, message }: ErrorAnswer) => ({
    error: { code: status, message, status: gemini ?? STATUSES[status] ?? 'UNKNOWN' },
  });
  return {
    opening: piece([{ text: '' }]),
    piece: (text) => piece([{ text }]),
    // A call comes in one event: to cut the call, the event is cut.
    toolCall: (args) =>
      `data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"weather","args":${args}`,
    thinking: piece([
      { text: 'Let me see.', thought: true },
      { text: '', thoughtSignature: 'c2lnbmVk' },
    ]),
    closing: '',
    terminator: event({
      ...candidate([{ text: '' }], { finishReason: 'STOP' }),
      ...frame,
      usageMetadata: usage,
    }),
    malformed: MALFORMED,
    pause: ': still here\n\n',
    whole: (text) =>
      JSON.stringify({
        ...candidate([{ text }], { finishReason: 'STOP' }),
        ...frame,
        usageMetadata: usage,
      }),
    errorBody: (error) => JSON.stringify(errorBody(error)),
    errorEvent: (error) => event(errorBody(error)),
  };
}
