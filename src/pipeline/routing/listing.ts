import type { Abort } from '../../abort.ts';
import type { BaseProvider, UpstreamReply } from '../../providers/base.ts';
import type { ListedModel, ListPage } from '../../providers/model-list.ts';
import type { Turns } from '../../turns.ts';
import { ProxyError } from '../../errors.ts';
import { MAX_LISTED } from '../../providers/model-cache.ts';
import { readModelList } from '../../providers/model-list.ts';
import { classifyStatus } from '../../wire/classify.ts';
import { concatInSteps, decodeInSteps } from '../../wire/bytes.ts';
import { parseInSteps } from '../../wire/json-steps.ts';
import { PIECE_BOUNDS } from '../../wire/json.ts';

/** The largest page, bytes. */
const MAX_PAGE = 8 * 1024 * 1024;
/** The largest number of pages. */
const MAX_PAGES = 20;
/** A list of thousands of models has many fields for each. */
const BOUNDS = { ...PIECE_BOUNDS, maxValues: 1_000_000, maxFields: 1_000_000 };

/**
 * All models that a provider lists, without duplicates, in its order.
 * @throws ProxyError when it does not return a list, or one that is too long
 */
export async function listModels(
  provider: BaseProvider,
  { turns, abort }: { turns: Turns; abort: Abort },
): Promise<readonly ListedModel[]> {
  const models = new Map<string, ListedModel>();
  for (const list of provider.modelLists) {
    let url: URL | undefined = list;
    for (let page = 0; url && page < MAX_PAGES && models.size < MAX_LISTED; page += 1) {
      const { models: rows, next }: ListPage = await readPage(provider, url, turns, abort);
      for (const model of rows) if (models.size < MAX_LISTED) models.set(model.id, model);
      url = next && nextPage(url, next);
    }
  }
  return [...models.values()];
}

function nextPage(last: URL, parameters: Readonly<Record<string, string>>): URL {
  const url = new URL(last);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

async function readPage(provider: BaseProvider, url: URL, turns: Turns, abort: Abort): Promise<ListPage> {
  const reply = await fetchList(provider, url, abort);
  const bytes = await turns.run(concatInSteps(await chunksOf(provider, reply)));
  const text = await turns.run(decodeInSteps(bytes, false));
  if (reply.status !== 200) {
    const { fault } = classifyStatus(reply.status, reply.headers, text.slice(0, 64 * 1024));
    throw new ProxyError(fault, `Cannot list the models of ${provider.name}: it answered ${reply.status}`);
  }
  try {
    return readModelList(await turns.run(parseInSteps(text, BOUNDS)));
  } catch (cause) {
    const message = `Cannot list the models of ${provider.name}: its answer is not a list of models`;
    throw new ProxyError('malformed', message, { cause });
  }
}

/** With the first key that is not refused. */
async function fetchList(provider: BaseProvider, url: URL, abort: Abort): Promise<UpstreamReply> {
  for (let key = 0; ; key += 1) {
    const reply = await provider.list(url, key, abort.signal);
    const refused = reply.status === 401 || reply.status === 403;
    if (!refused || key + 1 >= provider.settings.keys) return reply;
    reply.body?.cancel().catch(() => undefined);
  }
}

async function chunksOf(provider: BaseProvider, { body }: UpstreamReply): Promise<Uint8Array[]> {
  if (!body) return [];
  const chunks: Uint8Array[] = [];
  const reader = body.getReader();
  for (let length = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    chunks.push(value);
    length += value.length;
    if (length <= MAX_PAGE) continue;
    reader.cancel().catch(() => undefined);
    const message = `Cannot list the models of ${provider.name}: the list is larger than ${MAX_PAGE / 1024 ** 2} MiB`;
    throw new ProxyError('malformed', message);
  }
}
