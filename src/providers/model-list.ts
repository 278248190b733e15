/** What vendors answer when they are asked which models they have, read by one reader: their lists differ in words alone. */
import { isObject, numberOf, objectOf, stringOf } from '../wire/json.ts';

/** A model that a provider says it has. */
export interface ListedModel {
  /** The name by which it is asked for. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created?: number;
  /** Its name for people. */
  readonly title?: string;
}

/** A page of a list. */
export interface ListPage {
  readonly models: readonly ListedModel[];
  /** Parameters of the query for the next page; `undefined` behind the last one. */
  readonly next: Readonly<Record<string, string>> | undefined;
}

/** Where the rows of a page are: OpenAI's and Anthropic's, Gemini's and Cohere's, Bedrock's two, Vertex's. */
const ROWS = ['data', 'models', 'modelSummaries', 'inferenceProfileSummaries', 'publisherModels'] as const;

/** The last moment that a date can tell, milliseconds. */
const MAX_MS = 8.64e15;

/** Longer names are no names. */
const MAX_NAME = 256;

/** What a terminal would obey, what turns the order of letters round, and half a character, which no request can name. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}]/u;

/** @throws Error when it is no list of models */
export function readModelList(page: unknown): ListPage {
  const whole = objectOf(page);
  // Together gives the list itself.
  const rows = Array.isArray(page) ? page : ROWS.map((name) => whole[name]).find(Array.isArray);
  if (!rows) throw new Error('it has no rows');
  const models = rows.flatMap((row) => (isObject(row) ? (modelOf(row) ?? []) : []));
  return { models, next: nextOf(whole) };
}

/** @param row of a vendor, or as it was kept */
export function modelOf(row: Record<string, unknown>): ListedModel | undefined {
  const { id: ownId, modelId, inferenceProfileId, name, inferenceTypesSupported: types } = row;
  // What Bedrock serves by a profile alone is in its other list.
  if (Array.isArray(types) && !types.includes('ON_DEMAND')) return undefined;
  const written = [ownId, modelId, inferenceProfileId, name].find((each) => typeof each === 'string');
  const id = stringOf(written)?.replace(/^(?:publishers\/[^/]+\/)?models\//, '');
  if (!id || id.length > MAX_NAME || UNSEEN.test(id)) return undefined;
  const created = secondsOf(row.created ?? row.created_at ?? row.createdAt);
  const titles = [row.title, row.display_name, row.displayName, row.modelName, row.inferenceProfileName];
  const told = stringOf(titles.find((each) => typeof each === 'string'))?.slice(0, MAX_NAME);
  const title = told && !UNSEEN.test(told) ? told : undefined;
  return { id, ...(created === undefined ? {} : { created }), ...(title ? { title } : {}) };
}

function secondsOf(time: unknown): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : (numberOf(time) ?? NaN) * 1_000;
  return ms > 0 && ms <= MAX_MS ? Math.floor(ms / 1_000) : undefined;
}

/** Anthropic names the last of the page; the others give a token, each by its own name. */
function nextOf(page: Record<string, unknown>): ListPage['next'] {
  const { has_more: more, last_id: last, nextPageToken, next_page_token: cohere, nextToken } = page;
  if (more === true && typeof last === 'string') return { after_id: last };
  if (typeof nextPageToken === 'string' && nextPageToken !== '') return { pageToken: nextPageToken };
  if (typeof cohere === 'string' && cohere !== '') return { page_token: cohere };
  if (typeof nextToken === 'string' && nextToken !== '') return { nextToken };
  return undefined;
}
