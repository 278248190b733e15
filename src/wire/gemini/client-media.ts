import type { JsonObject } from '../json.ts';
import type { Lost } from '../parts/lost.ts';
import type { FilePart, HostedCallPart, HostedResultPart, ImagePart, Part } from '../parts/part.ts';
import { objectOf, parseJson, stringOf } from '../json.ts';
import { signatureIn } from '../parts/issued.ts';
import { typeAt } from './parts.ts';

const DATA = /^data:([^;,]+)(?:;[^;,]*)*?;base64,/;

/** An image, or a file that the provider created, as a part. */
export function mediaPart(part: ImagePart | FilePart, lost: Lost): JsonObject[] {
  const signature = part.type === 'image' ? signatureIn(part.extra_content) : undefined;
  const signed = signature === undefined ? {} : { thoughtSignature: signature };
  const data = DATA.exec(part.url?.slice(0, 200) ?? '');
  if (part.url !== undefined && data)
    return [{ inlineData: { mimeType: data[1], data: part.url.slice(data[0].length) }, ...signed }];
  const fileUri = part.url ?? (part.type === 'file' ? part.id : undefined);
  if (fileUri === undefined) {
    lost.add(part.type);
    return [];
  }
  const otherwise = part.type === 'image' ? 'image/png' : 'application/octet-stream';
  return [{ fileData: { mimeType: typeAt(fileUri) ?? otherwise, fileUri }, ...signed }];
}

/** Code that a provider executed, and its output. Searches are reported with the sources; other tools have no part. */
export function programPart(part: HostedCallPart | HostedResultPart, lost: Lost): JsonObject[] {
  if (!hasForm(part) && part.type === 'hosted_call') lost.add('hosted_tool');
  if (!RUNS.has(part.name)) return [];
  if (part.type === 'hosted_result')
    return [{ codeExecutionResult: { outcome: 'OUTCOME_OK', output: part.output ?? '' } }];
  const { code, command } = objectOf(parseJson(part.input));
  return [{ executableCode: { language: 'PYTHON', code: stringOf(code) ?? stringOf(command) ?? '' } }];
}

/** Anthropic's and OpenAI's names for code execution. */
const RUNS: ReadonlySet<string> = new Set(['code_execution', 'bash_code_execution', 'code_interpreter']);

/** Whether Gemini's API can express this tool of a provider. */
export function hasForm({ name }: HostedCallPart | HostedResultPart): boolean {
  return name === 'web_search' || RUNS.has(name);
}

/** Audio: only the data tells its format. */
export function soundPart(data: string): JsonObject {
  return { inlineData: { mimeType: 'audio/wav', data } };
}

/** Whether a part is sent in one piece. */
export function isMedia(part: Part): part is ImagePart | FilePart {
  return part.type === 'image' || part.type === 'file';
}
