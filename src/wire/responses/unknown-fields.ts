/** Names the fields of a Responses request that are not supported. */
import type { JsonObject } from '../json.ts';
import { asksForMore } from '../facts/asked.ts';
import { objectOf } from '../json.ts';

/** Fields that are read, that concern the transport of the answer, or whose absence makes no difference. */
const KNOWN: ReadonlySet<string> = new Set(
  (
    'model input instructions tools tool_choice stream stream_options max_output_tokens temperature top_p top_logprobs ' +
    'parallel_tool_calls reasoning text include store metadata user safety_identifier prompt_cache_key ' +
    'prompt_cache_options prompt_cache_retention service_tier previous_response_id conversation background prompt ' +
    'context_management max_tool_calls moderation truncation client_metadata'
  ).split(' '),
);

/** The same within objects. */
const WITHIN: Readonly<Record<string, ReadonlySet<string>>> = {
  reasoning: new Set(['effort', 'summary', 'generate_summary']),
  text: new Set(['format', 'verbosity']),
};

/** The names of the other fields: `extra`, `reasoning.context`. */
export function unknownFields(body: JsonObject): string[] {
  const isGiven = (owner: JsonObject, name: string) => asksForMore(name, owner[name]);
  const own = Object.keys(body).filter((name) => !KNOWN.has(name) && isGiven(body, name));
  const inner = Object.entries(WITHIN).flatMap(([name, known]) => {
    const owner = objectOf(body[name]);
    const unknown = Object.keys(owner).filter((field) => !known.has(field) && isGiven(owner, field));
    return unknown.map((field) => `${name}.${field}`);
  });
  return [...own, ...inner];
}
