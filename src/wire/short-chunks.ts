/** Splits chunks with long text, which take long to translate: a stream may deliver a text in any number of pieces. */
import type { ChatChunk, ChatDelta } from './chat.ts';
import { wholeBefore } from './bytes.ts';

/** The most text in one piece, characters: a few milliseconds of work, even if every character is escaped. */
const LONGEST = 256 * 1024;

/** The fields of a delta that grow, in the order in which they are read. */
const TEXTS = ['reasoning_content', 'content', 'refusal'] as const;

/** A delta with another field is not split: what accompanies a text, such as a citation, may refer to all of it. */
const SPLIT: ReadonlySet<string> = new Set([...TEXTS, 'role', 'tool_calls']);

/** The chunk, or several with shorter texts that say the same. */
export function shortChunks(chunk: ChatChunk): readonly ChatChunk[] {
  const [choice, second] = chunk.choices;
  if (!choice || second || !isLong(choice.delta)) return [chunk];
  const deltas = piecesOf(choice.delta);
  return deltas.map((delta, at) => {
    const ends = at === deltas.length - 1;
    const logprobs = at === 0 ? choice.logprobs : null;
    const said = ends
      ? { ...choice, delta, logprobs }
      : { index: choice.index, delta, logprobs, finish_reason: null };
    return { ...chunk, choices: [said] };
  });
}

function isLong(delta: ChatDelta): boolean {
  const { tool_calls: calls = [] } = delta;
  const texts = [...TEXTS.map((name) => delta[name]), ...calls.map((call) => call.function?.arguments)];
  return (
    texts.some((text) => (text?.length ?? 0) > LONGEST) && Object.keys(delta).every((name) => SPLIT.has(name))
  );
}

function piecesOf({ role, tool_calls: calls = [], ...texts }: ChatDelta): ChatDelta[] {
  const deltas: ChatDelta[] = role === undefined ? [] : [{ role }];
  for (const name of TEXTS) for (const piece of cut(texts[name] ?? '')) deltas.push({ [name]: piece });
  for (const { function: called, ...call } of calls) {
    const [begin = '', ...rest] = cut(called?.arguments ?? '');
    deltas.push({ tool_calls: [{ ...call, function: { ...called, arguments: begin } }] });
    for (const piece of rest)
      deltas.push({ tool_calls: [{ index: call.index, function: { arguments: piece } }] });
  }
  return deltas;
}

function cut(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = wholeBefore(text, at + LONGEST);
    pieces.push(text.slice(at, end));
  }
  return pieces;
}
