/** Reads the lists of models of all vendors: their formats differ only in names. */
import { isObject, numberOf, objectOf, stringOf } from '../wire/json.ts';

/** A model that a provider lists. */
export interface ListedModel {
  /** The name that requests use. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created?: number;
  /** The display name. */
  readonly title?: string;
}

/** A page of a list. */
export interface ListPage {
  readonly models: readonly ListedModel[];
  /** The query parameters for the next page; `undefined` after the last one. */
  readonly next: Readonly<Record<string, string>> | undefined;
}

/** The keys under which rows are found: OpenAI's and Anthropic's, Gemini's and Cohere's, Bedrock's two, Vertex's. */
const ROWS = ['data', 'models', 'modelSummaries', 'inferenceProfileSummaries', 'publisherModels'] as const;

/** The largest time that a date can represent, milliseconds. */
const MAX_MS = 8.64e15;

/** Longer names are ignored. */
const MAX_NAME = 256;

/**
 * Control characters, characters that change the direction of text, and lone surrogates, which no request can contain.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}]/u;

/** @throws Error when it is not a list of models */
export function readModelList(page: unknown): ListPage {
  const whole = objectOf(page);
  // Together returns a bare array.
  const rows = Array.isArray(page) ? page : ROWS.map((name) => whole[name]).find(Array.isArray);
  if (!rows) throw new Error('it has no rows');
  const models = rows.flatMap((row) => (isObject(row) ? (modelOf(row) ?? []) : []));
  return { models, next: nextOf(whole) };
}

/** @param row from a vendor, or from the cache */
export function modelOf(row: Record<string, unknown>): ListedModel | undefined {
  const { id: ownId, modelId, inferenceProfileId, name, inferenceTypesSupported: types } = row;
  // Models that Bedrock serves through a profile only are in its other list.
  if (Array.isArray(types) && !types.includes('ON_DEMAND')) return undefined;
  const written = [ownId, modelId, inferenceProfileId, name].find((each) => typeof each === 'string');
  const id = stringOf(written)?.replace(/^(?:publishers\/[^/]+\/)?models\//, '');
  if (!id || id.length > MAX_NAME || UNSEEN.test(id)) return undefined;
  const created = secondsOf(row.created ?? row.created_at ?? row.createdAt);
  const titles = [row.title, row.display_name, row.displayName, row.modelName, row.inferenceProfileName];
  const listed = stringOf(titles.find((each) => typeof each === 'string'))?.slice(0, MAX_NAME);
  const title = listed && !UNSEEN.test(listed) ? listed : undefined;
  return { id, ...(created === undefined ? {} : { created }), ...(title ? { title } : {}) };
}

function secondsOf(time: unknown): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : (numberOf(time) ?? NaN) * 1_000;
  return ms > 0 && ms <= MAX_MS ? Math.floor(ms / 1_000) : undefined;
}

/** Anthropic names the last item of the page; the others return a token, each under its own name. */
function nextOf(page: Record<string, unknown>): ListPage['next'] {
  const { has_more: more, last_id: last, nextPageToken, next_page_token: cohere, nextToken } = page;
  if (more === true && typeof last === 'string') return { after_id: last };
  if (typeof nextPageToken === 'string' && nextPageToken !== '') return { pageToken: nextPageToken };
  if (typeof cohere === 'string' && cohere !== '') return { page_token: cohere };
  if (typeof nextToken === 'string' && nextToken !== '') return { nextToken };
  return undefined;
}
