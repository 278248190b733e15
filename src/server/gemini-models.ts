import type { Access } from '../limits/access.ts';
import type { ModelRegistry } from '../pipeline/routing/models.ts';
import { ProxyError } from '../errors.ts';
import { commonContextWindow } from '../wire/context-window.ts';

/** Google's default and largest page size for models. */
const PAGE = 50;
const MAX_PAGE = 1_000;

/** The parameters of a page: `pageSize`, and where the previous page ended. */
interface Paging {
  readonly size: string | undefined;
  readonly token: string | undefined;
}

/** A model in Gemini's format. Its limits are included if they are known. @see https://ai.google.dev/api/models#Model */
export function geminiModel(id: string, registry: ModelRegistry, access: Access): object {
  const { provider, model, offer } = registry.find(id, access);
  const input = offer.contextWindow ?? commonContextWindow(model);
  const methods = [
    ...(provider.serves('gemini', model) ? ['generateContent', 'countTokens'] : []),
    ...(provider.serves('gemini.embed', model) ? ['embedContent', 'batchEmbedContents'] : []),
  ];
  return {
    name: resourceOf(id),
    version: '001',
    displayName: id,
    ...(input === undefined ? {} : { inputTokenLimit: input }),
    ...(offer.maxOutput === undefined ? {} : { outputTokenLimit: offer.maxOutput }),
    supportedGenerationMethods: methods,
  };
}

/** The same at Vertex AI. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models */
export function publisherModel(id: string): object {
  return { name: `publishers/google/${resourceOf(id)}`, versionId: 'default' };
}

function resourceOf(id: string): string {
  return id.startsWith('tunedModels/') ? id : `models/${id}`;
}

/**
 * A page of names, and where the next one begins.
 * @throws ProxyError `invalid_request` for an invalid size, or an unknown page token
 */
export function pageOf(
  ids: readonly string[],
  { size, token }: Paging,
): { readonly shown: readonly string[]; readonly next: string | undefined } {
  const wanted = size === undefined || size === '' ? PAGE : Number(size);
  if (!Number.isInteger(wanted) || wanted < 0)
    throw new ProxyError('invalid_request', 'Cannot list models: pageSize must be a whole number', {
      param: 'pageSize',
    });
  const start = token === undefined || token === '' ? 0 : ids.findIndex((id) => tokenOf(id) === token);
  if (start < 0)
    throw new ProxyError('invalid_request', 'Cannot list models: pageToken was not returned by this server', {
      param: 'pageToken',
    });
  const shown = ids.slice(start, start + Math.min(MAX_PAGE, wanted || PAGE));
  const following = ids[start + shown.length];
  return { shown, next: following === undefined ? undefined : tokenOf(following) };
}

/** Encodes the model that a page begins with. */
function tokenOf(id: string): string {
  return Buffer.from(id).toString('base64url');
}
