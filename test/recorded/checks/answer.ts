/** A recorded answer, replayed behind the binary, as a client of each protocol receives it. */
import type { Client, Problem, Spoken } from '../answers/compare.ts';
import type { Said } from '../answers/said.ts';
import type { Got, Lab } from '../lab/lab.ts';
import type { Api, Recorded } from '../read/exchange.ts';
import { checkChatStream } from '../../helpers/grammar/chat.ts';
import { checkGeminiStream } from '../../helpers/grammar/gemini.ts';
import { checkMessagesStream } from '../../helpers/grammar/messages.ts';
import { checkResponsesStream } from '../../helpers/grammar/responses.ts';
import { openapiProblems } from '../../helpers/openapi.ts';
import { geminiProblems } from '../../helpers/published/gemini.ts';
import { argumentsOf, compareAnswers, rounded, textIn } from '../answers/compare.ts';
import { isStream, saidByLibrary, saidIn } from '../answers/read.ts';
import { questionFor } from '../lab/questions.ts';
import { vendorOf } from '../lab/vendors.ts';
import { textOf } from '../read/exchange.ts';
import { parseJson, shown } from '../read/json.ts';
import { messageProblems } from '../schemas/message.ts';
import { toldLeftOut } from './told.ts';

export interface AnswerOptions {
  readonly client: Client;
  /** A number in the model name, so that no target is used twice. */
  readonly number: number;
  /** Where to cut the stream into pieces. */
  readonly cuts: readonly number[];
  /** The number of bytes after which it breaks off. */
  readonly breaksAt?: number;
}

export interface Checked {
  readonly lane: 'relay' | 'translate';
  readonly wanted: Spoken;
  readonly problems: readonly Problem[];
  /** What the client was told was left out. */
  readonly told: string;
}

const GRAMMARS: Readonly<Record<Client, (sse: string) => { problems: string[] }>> = {
  chat: checkChatStream,
  messages: checkMessagesStream,
  responses: checkResponsesStream,
  gemini: checkGeminiStream,
};

/** The problems of one answer for one client, before any rule excuses them. */
export async function checkAnswer(
  lab: Lab,
  recorded: Recorded,
  api: Api,
  { client, number, cuts, breaksAt }: AnswerOptions,
): Promise<Checked> {
  const { type, model } = vendorOf(api, recorded.provider, client);
  const stream = isStream(recorded);
  const { headers, status } = recorded;
  const body = breaksAt === undefined ? recorded.body : recorded.body.slice(0, breaksAt);
  const wanted: Spoken = {
    said: saidIn({ headers, body }, api),
    api,
    provider: type === 'openai-compatible' ? 'openai-compatible' : recorded.provider,
  };
  // A failure may put its provider on cooldown, which the next recording needs.
  const provider = wanted.said.failed ? lab.fresh(type) : type;
  const reply = { status, headers: typed(recorded, api, stream), body: recorded.body, cuts, breaksAt };
  const question = questionFor(client, wanted.said, stream);
  const got = await lab.ask({ client, body: question, provider, model: model(number), reply });
  const lane = client === api ? 'relay' : 'translate';
  const broken = breaksAt !== undefined;
  const problems = broken
    ? checkBroken(wanted, got, client)
    : checkWhole({ recorded, wanted, got, client, lane });
  return { lane, wanted, problems, told: toldLeftOut(got) };
}

/** The headers with a content type, if the recorder kept none. */
function typed({ headers }: Recorded, api: Api, stream: boolean): Headers {
  const told = new Headers(headers);
  const frames = api === 'converse' ? 'application/vnd.amazon.eventstream' : 'text/event-stream';
  told.set('content-type', stream ? frames : 'application/json');
  return told;
}

interface Answered {
  readonly recorded: Recorded;
  readonly wanted: Spoken;
  readonly got: Got;
  readonly client: Client;
  readonly lane: Checked['lane'];
}

function checkWhole({ recorded, wanted, got, client, lane }: Answered): Problem[] {
  const { failed } = wanted.said;
  const answered = got.status >= 200 && got.status < 300;
  if (failed) return checkFailed(wanted.said, got, client);
  if (!answered) {
    const words = textOf(got.body).slice(0, 160);
    return [{ aspect: 'status', text: `is refused with ${got.status}: ${words}` }];
  }
  if (lane === 'relay') return checkRelayed(recorded, got, wanted);
  const said = saidIn(got, client);
  const problems = compareAnswers(wanted, said, client);
  if (said.ended !== wanted.said.ended)
    problems.push({ aspect: 'ending', text: `it ended: ${said.ended}, not ${wanted.said.ended}` });
  for (const text of grammarProblems(got, client)) problems.push({ aspect: 'grammar', text });
  problems.push(...checkLibrary(got, said, client));
  return problems;
}

function checkRelayed(recorded: Recorded, got: Got, { said }: Spoken): Problem[] {
  const bytes = recorded.body;
  if (Buffer.compare(bytes, got.body) === 0) return [];
  // The proxy adds a missing terminator to a stream, and a missing blank line to its last event.
  const rest = textOf(got.body).slice(textOf(bytes).length);
  const begins = textOf(got.body).startsWith(textOf(bytes));
  if (begins && said.ended && /^\s*(?:data: \[DONE\]\s*)?$/.test(rest)) return [];
  return [{ aspect: 'bytes', text: `other bytes are relayed: ${shown(firstDifference(bytes, got.body))}` }];
}

function firstDifference(wanted: Uint8Array, got: Uint8Array): string {
  const at = wanted.findIndex((byte, place) => byte !== got[place]);
  const from = Math.max(0, (at < 0 ? wanted.length : at) - 20);
  return `${textOf(got.subarray(from, from + 60))} at ${from}, not ${textOf(wanted.subarray(from, from + 60))}`;
}

/** A broken stream must not look finished, and must contain everything up to the break. */
function checkBroken(wanted: Spoken, got: Got, client: Client): Problem[] {
  if (got.status >= 400) return [];
  const said = saidIn(got, client);
  const ended = wanted.said.choices.some(({ finish }) => finish !== undefined);
  if (said.ended && !wanted.said.ended && !ended)
    return [{ aspect: 'ending', text: 'it looks finished though it broke off' }];
  const [came, right] = [said, wanted.said].map(({ choices }) => textIn(choices[0]?.parts ?? [], client));
  if (came === right) return [];
  return [{ aspect: 'text', text: `until it broke off it said ${shown(came)}, not ${shown(right)}` }];
}

/** An error is reported by the status, or within the stream, with the provider's message. */
function checkFailed({ failure }: Said, got: Got, client: Client): Problem[] {
  const text = textOf(got.body);
  if (got.status < 400 && !saidIn(got, client).failed)
    return [{ aspect: 'fault', text: 'an error is not told' }];
  // Only the beginning: keys and accounts further on may be redacted.
  const words = JSON.stringify(failure.slice(0, 20)).slice(1, -1);
  if (text.includes(words)) return [];
  return [{ aspect: 'fault', text: `the error says ${shown(text)}, not ${shown(failure)}` }];
}

function grammarProblems(got: Got, client: Client): string[] {
  const text = textOf(got.body);
  if (isStream(got)) return GRAMMARS[client](text).problems;
  const value = parseJson(text);
  if (client === 'messages') return messageProblems(value);
  if (client === 'gemini') return geminiProblems('answer', value);
  return openapiProblems(client === 'chat' ? 'CreateChatCompletionResponse' : 'Response', value);
}

/** The official library must understand it, and read the same content. */
function checkLibrary({ library, libraryError }: Got, said: Said, client: Client): Problem[] {
  if (libraryError) return [{ aspect: 'library', text: `the library refuses it: ${libraryError.message}` }];
  if (library === undefined) return [];
  const read = flat(saidByLibrary(library, client));
  const wanted = flat(said);
  if (Bun.deepEquals(read, wanted)) return [];
  return [{ aspect: 'library', text: `the library reads ${shown(read)}, not ${shown(wanted)}` }];
}

/** The content with numbers beyond 2^53 rounded, as a library reads them. */
function flat({ choices, usage }: Said): unknown {
  const parts = choices.map((choice) =>
    choice.parts.map((part) =>
      part.kind === 'call' ? { ...part, input: rounded(argumentsOf(part.input)) } : part,
    ),
  );
  const ends = choices.map(({ finish, logprobs }) => [finish, logprobs]);
  const counted = usage && [usage.output_tokens ?? usage.completion_tokens];
  return { parts, ends, counted };
}
