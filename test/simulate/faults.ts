import type { ErrorAnswer } from '../helpers/broken/errors.ts';
import { ERRORS } from '../helpers/broken/errors.ts';

/**
 * What a single occurrence of a fault is counted against, by the scopes that the product promises. `endpoint` is one
 * endpoint of a target, streamed or not; `rate` is a key at a target; `request` has no lasting effect.
 */
export type Blame = 'request' | 'endpoint' | 'rate' | 'target' | 'key' | 'provider';

/** What a provider does while a fault is active. */
export type Act =
  | { readonly does: 'refuse'; readonly code: string }
  | { readonly does: 'reset' }
  /** No connection opens, or one opens and stays silent. */
  | { readonly does: 'hang'; readonly dials: boolean }
  | { readonly does: 'answer'; readonly error: ErrorAnswer }
  | { readonly does: 'page'; readonly status: number; readonly body: string }
  | { readonly does: 'spoil'; readonly way: Spoiling }
  /** A valid answer, but late. */
  | { readonly does: 'dawdle' };

/** How an answer with status 200 goes wrong. */
export type Spoiling =
  | 'cut-early'
  | 'cut'
  | 'stall'
  | 'error-first'
  | 'error-later'
  | 'finish-error'
  | 'no-finish'
  | 'done-only'
  | 'garbage'
  | 'empty';

/** Where a fault may be active: at the whole provider, with some keys, for one model, or at one of its own paths. */
export type Where = 'provider' | 'key' | 'model' | 'path' | 'expensive' | 'long';

export interface FaultKind {
  readonly blame: Blame;
  readonly act: Act;
  readonly where: readonly Where[];
}

const answer = (error: ErrorAnswer): Act => ({ does: 'answer', error });
const page = (status: number, title: string): Act => ({
  does: 'page',
  status,
  body: `<html><head><title>${title}</title></head><body>${title}</body></html>`,
});
const told = (status: number, message: string, code: string | null = null, anthropic = 'api_error') =>
  answer({ status, openai: ['invalid_request_error', code], anthropic, message });

const refuse = (code: string): FaultKind => ({
  blame: 'provider',
  act: { does: 'refuse', code },
  where: ['provider'],
});
const anywhere = (act: Act): FaultKind => ({ blame: 'target', act, where: ['provider', 'model', 'path'] });
const spoil = (way: Spoiling): FaultKind => anywhere({ does: 'spoil', way });
/** Errors that count against nothing but, if they are frequent enough, one endpoint of a target. */
const bare = (act: Act, ...where: Where[]): FaultKind => ({ blame: 'endpoint', act, where });

/** Every kind of fault in the simulation. */
export const KINDS = {
  refused: refuse('ConnectionRefused'),
  'no such host': refuse('ENOTFOUND'),
  'bad certificate': refuse('DEPTH_ZERO_SELF_SIGNED_CERT'),
  unreachable: { blame: 'provider', act: { does: 'hang', dials: false }, where: ['provider'] },
  reset: { blame: 'provider', act: { does: 'reset' }, where: ['provider'] },
  silent: anywhere({ does: 'hang', dials: true }),
  slow: anywhere({ does: 'dawdle' }),
  '500': anywhere(answer(ERRORS['500'])),
  '503': anywhere(answer(ERRORS['503'])),
  '529': anywhere(answer(ERRORS['529'])),
  '502 page': anywhere(page(502, 'Bad gateway')),
  '200 page': anywhere(page(200, 'Sign in')),
  '429': { blame: 'rate', act: answer(ERRORS['429']), where: ['provider', 'key', 'model'] },
  '401': { blame: 'key', act: answer(ERRORS['401']), where: ['key'] },
  '402 account': {
    blame: 'key',
    act: told(402, 'Insufficient credits. Add more to your account to go on.', null, 'billing_error'),
    where: ['key'],
  },
  '402 request': bare(
    told(402, 'This request requires more credits, or fewer max_tokens.', null, 'invalid_request_error'),
    'expensive',
  ),
  '403 model': bare(
    told(403, 'You are not allowed to use this model in this region.', null, 'permission_error'),
    'model',
  ),
  '403 path': bare(page(403, 'Forbidden'), 'path'),
  '404 model': bare(
    told(
      404,
      'The model does not exist or you do not have access to it',
      'model_not_found',
      'not_found_error',
    ),
    'model',
  ),
  '404 path': bare(page(404, 'Not Found'), 'path'),
  '400': { blame: 'request', act: answer(ERRORS['400']), where: ['model', 'path'] },
  '413': { blame: 'request', act: answer(ERRORS['413']), where: ['long'] },
  'context too long': { blame: 'request', act: answer(ERRORS['400-context']), where: ['long'] },
  'cut early': spoil('cut-early'),
  cut: spoil('cut'),
  stall: spoil('stall'),
  'error first': spoil('error-first'),
  'error later': spoil('error-later'),
  'finish error': spoil('finish-error'),
  'no finish': spoil('no-finish'),
  'done only': spoil('done-only'),
  garbage: spoil('garbage'),
  empty: spoil('empty'),
} as const satisfies Record<string, FaultKind>;

export type KindName = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS) as KindName[];

export function kindOf(name: KindName): FaultKind {
  return KINDS[name];
}
