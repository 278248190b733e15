/** The client's request for checks of the answer: the simplest one that leads to it. */
import type { Client } from '../answers/compare.ts';
import type { Said } from '../answers/said.ts';
import type { Json } from '../read/json.ts';

export function questionFor(client: Client, said: Said, stream: boolean): Json {
  const streamed = stream ? { stream: true } : {};
  if (client === 'messages') {
    return { max_tokens: 1_000, messages: [{ role: 'user', content: 'Hi' }], ...streamed };
  }
  if (client === 'responses') return { input: 'Hi', ...streamed };
  if (client === 'gemini') {
    const config = {
      thinkingConfig: { includeThoughts: true },
      ...(said.choices.length > 1 ? { candidateCount: said.choices.length } : {}),
      ...(said.choices.some(({ logprobs }) => logprobs.length > 0) ? { responseLogprobs: true } : {}),
    };
    return { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: config, ...streamed };
  }
  const several = said.choices.length > 1 ? { n: said.choices.length } : {};
  const probable = said.choices.some(({ logprobs }) => logprobs.length > 0) ? { logprobs: true } : {};
  const usage = stream ? { stream_options: { include_usage: true } } : {};
  return { messages: [{ role: 'user', content: 'Hi' }], ...several, ...probable, ...streamed, ...usage };
}
