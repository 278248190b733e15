import type { Json } from '../read/json.ts';
import type { Choice } from './said.ts';
import { isObject, listOf, numberOf, objectOf, objectsOf, stringOf } from '../read/json.ts';
import { addCall, addSources, addText, Said, unknownKind, written } from './said.ts';

/** Reads the chunks of a stream, or the single body: each is a response of its own. */
export function geminiSaid(chunks: readonly Json[]): Said {
  const said = new Said();
  for (const chunk of chunks) {
    if (isObject(chunk.error)) said.fail(chunk.error);
    if (isObject(chunk.usageMetadata)) said.usage = { ...said.usage, ...chunk.usageMetadata };
    if (objectOf(chunk.promptFeedback).blockReason && !chunk.candidates) said.choice().finish = 'SAFETY';
    for (const [place, candidate] of objectsOf(chunk.candidates).entries()) {
      take(said.choice(numberOf(candidate.index) ?? place), candidate);
    }
  }
  said.ended = said.choices.length > 0 && said.choices.every(({ finish }) => finish !== undefined);
  return said;
}

function take(choice: Choice, candidate: Json): void {
  choice.role = 'assistant';
  for (const part of objectsOf(objectOf(candidate.content).parts)) begin(choice, part);
  // In some chunks, Vertex sends the enum's number instead of its name.
  if (candidate.finishReason !== undefined) choice.finish = String(candidate.finishReason);
  const grounding = objectOf(candidate.groundingMetadata);
  // The model searched by itself: the query is reported beside the answer.
  const isNew = !choice.parts.some((part) => part.kind === 'ran' && part.name === 'search');
  if (listOf(grounding.webSearchQueries).length > 0 && isNew)
    choice.parts.push({ kind: 'ran', name: 'search' });
  for (const { web, retrievedContext } of objectsOf(grounding.groundingChunks)) {
    addSources(choice, objectOf(web).uri, objectOf(retrievedContext).uri);
  }
  if (objectOf(candidate.groundingMetadata).webSearchQueries !== undefined) searched(choice);
  for (const { token, logProbability } of objectsOf(objectOf(candidate.logprobsResult).chosenCandidates)) {
    choice.logprobs.push([String(token), Number(logProbability)]);
  }
}

/** The search is reported again in each event. */
function searched({ parts }: Choice): void {
  if (!parts.some(({ kind }) => kind === 'ran')) parts.push({ kind: 'ran', name: 'google_search' });
}

function begin({ parts }: Choice, part: Json): void {
  if (isObject(part.functionCall)) {
    const { id, name, args } = part.functionCall;
    addCall(parts, id, name, written(args ?? {}));
  } else if (isObject(part.inlineData)) {
    const { mimeType, data } = part.inlineData;
    const bytes = String(data);
    if (String(mimeType).startsWith('audio/')) parts.push({ kind: 'audio', data: bytes, transcript: '' });
    // A draft image within its thinking is not part of the answer.
    else if (part.thought !== true) parts.push({ kind: 'image', data: bytes });
  } else if (typeof part.text === 'string')
    addText(parts, part.thought === true ? 'thinking' : 'text', part.text);
  else if (isObject(part.executableCode)) parts.push({ kind: 'ran', name: 'code' });
  else if (isObject(part.codeExecutionResult)) parts.push({ kind: 'ran', name: 'code_result' });
  else if (isObject(part.toolCall) || isObject(part.toolResponse))
    parts.push({
      kind: 'ran',
      name: stringOf(objectOf(part.toolCall ?? part.toolResponse).toolType) ?? 'tool',
    });
  else if (Object.keys(part).some((key) => key !== 'thoughtSignature' && key !== 'thought'))
    unknownKind('Gemini', Object.keys(part));
}
