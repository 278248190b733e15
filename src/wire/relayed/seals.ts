/** Collects signatures and encrypted parts from relayed answers, which must be sent back to their issuer. */
import type { Endpoint } from '../endpoints.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { detailValues, signatureIn, valuesOf } from '../parts/issued.ts';

/** The values in one stream event. */
export function sealsInEvent(endpoint: Endpoint, event: JsonObject): string[] {
  switch (endpoint) {
    case 'messages':
      if (event.type === 'content_block_start') return blockValues(objectOf(event.content_block));
      return event.type === 'content_block_delta' ? blockValues(objectOf(event.delta)) : [];
    case 'responses':
      return event.type === 'response.output_item.done' ? valuesOf(objectOf(event.item)) : [];
    case 'gemini':
      return contentValues(event);
    case 'chat':
      return listOf(event.choices).flatMap((choice) => messageValues(objectOf(objectOf(choice).delta)));
    default:
      return [];
  }
}

/** The values in a whole answer. */
export function sealsInAnswer(endpoint: Endpoint, answer: JsonObject): string[] {
  switch (endpoint) {
    case 'messages':
      return listOf(answer.content).filter(isObject).flatMap(blockValues);
    case 'responses':
      return listOf(answer.output).filter(isObject).flatMap(valuesOf);
    case 'gemini':
      return contentValues(answer);
    case 'chat':
      return listOf(answer.choices).flatMap((choice) => messageValues(objectOf(objectOf(choice).message)));
    default:
      return [];
  }
}

/** A block of a message, or the signature that follows it. */
function blockValues({ type, signature, data }: JsonObject): string[] {
  const value = type === 'redacted_thinking' ? stringOf(data) : stringOf(signature);
  return value ? [value] : [];
}

/** The signatures in the parts of all candidates. */
function contentValues({ candidates }: JsonObject): string[] {
  return listOf(candidates).flatMap((candidate) =>
    listOf(objectOf(objectOf(candidate).content).parts).flatMap(
      (part) => stringOf(objectOf(part).thoughtSignature) || [],
    ),
  );
}

function messageValues({ reasoning_details: details, tool_calls: calls }: JsonObject): string[] {
  if (details === undefined && calls === undefined) return [];
  const signatures = listOf(calls).flatMap((call) => signatureIn(objectOf(call).extra_content) ?? []);
  return [...listOf(details).filter(isObject).flatMap(detailValues), ...signatures];
}
