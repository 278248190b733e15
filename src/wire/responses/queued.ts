import type { JsonObject } from '../json.ts';
import type { StorageState } from './storage-state.ts';
import { stringOf } from '../json.ts';
import { responseObject } from './client-response.ts';

/** A response that is queued in the background. @param created seconds since the epoch */
export function queuedResponse(
  request: JsonObject,
  { id, created, storage }: { id: string; created: number; storage: StorageState },
): JsonObject {
  const envelope = {
    request,
    origins: new Map(),
    created,
    newId: () => id,
    newThoughtId: () => id,
    storage,
    remember: () => undefined,
  };
  const model = stringOf(request.model) ?? '';
  return { ...responseObject(envelope, { id, model, output: [], finish: null }), status: 'queued' };
}
