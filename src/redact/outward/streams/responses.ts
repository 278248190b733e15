import type { StreamShape } from '../restore-events.ts';
import { stringOf } from '../../../wire/json.ts';

const DELTA = '.delta';

/** Names of deltas that are pieces of JSON. */
const JSON_DELTAS = /_arguments\.delta$/;

/** Names of deltas that contain words or code; others are sound and pictures. */
const TEXT_DELTAS = /^response\.(?:output_text|refusal|.*_input|.*_code|.*transcript)\.delta$/;

const ENDS: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

export const RESPONSES_STREAM: StreamShape = {
  isKept: ({ type }) => stringOf(type)?.startsWith('response.reasoning') ?? false,
  slots(event) {
    const { type, delta, output_index: item, content_index: part = '' } = event;
    if (typeof type !== 'string' || typeof delta !== 'string') return [];
    const isJson = JSON_DELTAS.test(type);
    if (!isJson && !TEXT_DELTAS.test(type)) return [];
    const channel = `${String(item)}/${String(part)}/${type.slice(0, -DELTA.length)}`;
    return [{ channel, holder: event, field: 'delta', form: isJson ? 'json' : 'text' }];
  },
  ends({ type, output_index: item, content_index: part = '' }, channel) {
    if (ENDS.has(type)) return true;
    const [ofItem, ofPart, name] = channel.split('/');
    if (String(item) !== ofItem) return false;
    if (type === 'response.output_item.done') return true;
    return type === `${name}.done` || (type === 'response.content_part.done' && String(part) === ofPart);
  },
  bringing({ logprobs: _, obfuscation: _o, ...like }, _slot, text) {
    return { ...like, ...(_ === undefined ? {} : { logprobs: [] }), delta: text };
  },
  numbered: 'sequence_number',
};
