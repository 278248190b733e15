import type { ProviderProtocol } from '../protocol.ts';
import type { JsonObject } from '../json.ts';
import { listOf, objectOf } from '../json.ts';
import { SseReader } from '../sse.ts';
import { encodeAnthropicRequest } from './request.ts';
import { decodeAnthropicResponse } from './response.ts';
import { AnthropicReader } from './stream.ts';

/** The beta features that stored files need. */
const FILES = 'files-api-2025-04-14';

/** Stored files are only accepted together with their beta feature, which clients of other protocols cannot request. */
function headersFor(body: JsonObject, betas: string | undefined): Record<string, string> {
  const names = (betas ?? '').split(',').map((name) => name.trim());
  const requested = names.filter((name) => name !== '');
  if (holdsFile(body.messages)) requested.push(FILES);
  return requested.length > 0 ? { 'anthropic-beta': [...new Set(requested)].join(',') } : {};
}

function holdsFile(messages: unknown): boolean {
  return listOf(messages).some((message) =>
    listOf(objectOf(message).content).some((block) => {
      const { source, content } = objectOf(block);
      const inner = listOf(content).some((each) => objectOf(objectOf(each).source).type === 'file');
      return inner || objectOf(source).type === 'file';
    }),
  );
}

/** The Messages API of providers. @see https://docs.anthropic.com/en/api/messages */
export const anthropicProtocol: ProviderProtocol = {
  framing: () => new SseReader(),
  encode(request, context) {
    const { created, newId } = context;
    const { body, dropped, structuredTool } = encodeAnthropicRequest(request, context);
    const options = { created, newId, structuredTool };
    return {
      body,
      dropped,
      headers: headersFor(body, context.betas),
      decode: (answer) => decodeAnthropicResponse(answer, options),
      stream: () => new AnthropicReader(options),
    };
  },
};
