import type { Inbound } from './inbound.ts';
import { saysWhy } from '../wire/endpoints.ts';
import { countOf } from '../wire/json.ts';

/** How many tokens a request may use. */
export interface Need {
  /** Of its own text, about. */
  readonly input: number;
  /** Of its answer, at most. */
  readonly output: number;
}

/** Bytes of a token, about. */
const BYTES = 4;

/** @param assumed tokens of an answer that the request does not bound */
export function needOf({ endpoint, bytes, json }: Inbound, assumed: number): Need {
  const {
    max_completion_tokens: completion,
    max_tokens: tokens,
    max_output_tokens: output,
  } = json?.value ?? {};
  const own = countOf(completion) ?? countOf(tokens) ?? countOf(output);
  return { input: Math.ceil(bytes.length / BYTES), output: saysWhy(endpoint) ? (own ?? assumed) : 0 };
}
