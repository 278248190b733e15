import type { ServerContext } from '../../context.ts';
import type { Steps } from '../../../turns.ts';
import type { JsonObject } from '../../../wire/json.ts';
import type { LastAnswer } from '../last-answer.ts';
import { stringifyInSteps } from '../../../wire/json-write.ts';
import { stringOf } from '../../../wire/json.ts';
import { previousNotFound } from '../../../wire/responses/client-request.ts';
import { queuedResponse } from '../../../wire/responses/queued.ts';

/**
 * Handles a `response.create` with `generate: false`: it sends the beginning of a conversation before an answer is
 * requested. No provider is called; the next request continues it.
 * @returns its events
 * @throws ProxyError `previous_not_found`
 */
export function* warmUp(
  event: JsonObject,
  last: LastAnswer,
  { clock, newId }: Pick<ServerContext, 'clock' | 'newId'>,
): Steps<string[]> {
  const previous = stringOf(event.previous_response_id) || undefined;
  const before = previous === undefined ? undefined : yield* last.find(previous);
  if (previous !== undefined && !before) throw previousNotFound(previous);
  const id = `resp_${newId().slice('req_'.length)}`;
  const created = Math.floor(clock.now() / 1000);
  const storage = { id, store: false, previous, background: false };
  const begun = { ...queuedResponse(event, { id, created, storage }), status: 'in_progress' };
  const usage = {
    input_tokens: 0,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 0,
  };
  const done = { ...begun, status: 'completed', completed_at: created, usage };
  const input = yield* stringifyInSteps({ input: event.input ?? [] });
  last.keep(before?.items ?? '[]', input, yield* stringifyInSteps(done));
  const events: string[] = [];
  for (const each of [
    { type: 'response.created', response: begun, sequence_number: 0 },
    { type: 'response.in_progress', response: begun, sequence_number: 1 },
    { type: 'response.completed', response: done, sequence_number: 2 },
  ])
    events.push(yield* stringifyInSteps(each));
  return events;
}
