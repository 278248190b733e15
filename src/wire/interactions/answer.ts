import type { ChatResponse } from '../chat.ts';
import type { JsonObject } from '../json.ts';
import type { EncodeContext } from '../protocol.ts';
import { sealsIn } from '../gemini/client-seals.ts';
import { extraOf } from '../gemini/answer-parts.ts';
import { isObject, listOf, objectOf, stringOf } from '../json.ts';
import { jsonTextOf } from '../json-written.ts';
import { answerOf } from '../parts/message.ts';
import { PartList } from '../parts/part-list.ts';
import { encodeOpenaiUsage } from '../usage.ts';
import { callsIn, finishOf } from './status.ts';
import { wholeInteractionUsage } from './usage.ts';

/** Decodes an interaction, from Google or from this proxy, to the canonical form. */
export function decodeInteraction(
  body: JsonObject,
  { created, newId, model }: Pick<EncodeContext, 'created' | 'newId' | 'model'>,
): ChatResponse {
  const list = new PartList();
  let signature: string | undefined;
  for (const step of listOf(body.steps).filter(isObject)) {
    if (step.type === 'thought') signature = think(step, list);
    else if (step.type === 'model_output') say(step, list);
    else if (step.type === 'function_call') {
      const extra = signature === undefined ? {} : { extra_content: extraOf(signature) };
      signature = undefined;
      list.call({
        id: stringOf(step.id) || `call_${newId()}`,
        type: 'function',
        function: {
          name: stringOf(step.name) ?? '',
          arguments: jsonTextOf(isObject(step.arguments) ? step.arguments : {}),
        },
        ...extra,
      });
    }
  }
  const usage = wholeInteractionUsage(body);
  return {
    id: `chatcmpl-${stringOf(body.id) || newId()}`,
    object: 'chat.completion',
    created,
    model: stringOf(body.model) ?? model,
    choices: [
      {
        index: 0,
        message: answerOf(list.parts, ''),
        finish_reason: finishOf(body.status, callsIn(body.steps)),
      },
    ],
    ...(usage ? { usage: encodeOpenaiUsage(usage) } : {}),
  };
}

/** @returns what must be sent back with the part that follows it */
function think({ summary, signature }: JsonObject, list: PartList): string | undefined {
  const text = listOf(summary)
    .map((each) => stringOf(objectOf(each).text) ?? '')
    .join('');
  if (text !== '') list.thinking(text);
  const given = stringOf(signature) || undefined;
  const seals = given === undefined ? undefined : sealsIn(given);
  for (const seal of seals ?? []) list.seal(seal);
  return seals ? undefined : given;
}

function say({ content }: JsonObject, list: PartList): void {
  for (const each of listOf(content).filter(isObject)) {
    const { type, text, data, mime_type: mime, uri } = each;
    if (typeof text === 'string') list.text(text);
    else if (type === 'image')
      list.add({ type: 'image', url: stringOf(uri) ?? `data:${String(mime)};base64,${String(data)}` });
  }
}
