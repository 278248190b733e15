/** The error for a model that no provider serves. */
import type { Access } from '../../limits/access.ts';
import type { ModelName } from './listed-names.ts';
import type { Offers } from './offers.ts';
import type { Rule } from './routes.ts';
import { nearest, shortlist } from '../../config/suggest.ts';
import { ProxyError } from '../../errors.ts';

export interface Unknown {
  readonly name: string;
  /** Why no provider serves it. */
  readonly rule: Rule;
  /** What the caller may use; everything by default. */
  readonly access: Access | undefined;
  /** The names that the caller may request: no other is suggested. */
  readonly names: readonly ModelName[];
}

/** Gives the reason, and the nearest names. */
export function unknownModel(offers: Offers, unknown: Unknown): ProxyError {
  const { name, rule, names } = unknown;
  const known =
    rule.kind === 'provider'
      ? names
          .filter(({ ownedBy }) => ownedBy === rule.provider)
          .map(({ id }) => addressedBy(rule.provider, id))
      : names.map(({ id }) => id);
  const close = nearest(name, shortlist(name, known), 3);
  const hint = close.length > 0 ? `, did you mean ${close.map((id) => `"${id}"`).join(', ')}?` : '';
  const message = `Cannot find model "${shownName(name)}": ${reason(offers, unknown)}${hint}`;
  return new ProxyError('unknown_model', message, { param: 'model' });
}

function reason(offers: Offers, { name, rule, access }: Unknown): string {
  if (rule.kind === 'served') return 'no provider serves it';
  if (rule.kind !== 'provider') return 'the configuration has targets for it, but none of them can be used';
  const { provider } = rule;
  const off = offers.whyOff(provider);
  // A caller that may use everything is told what is missing.
  const isNarrowed = access?.narrowsModels || access?.narrowsProviders;
  const why =
    off === undefined
      ? `provider ${provider} does not serve it`
      : `provider ${provider} is off (${isNarrowed ? 'ask the operator' : off})`;
  const other = offers.offered(name).find(({ provider: one }) => access?.allowsProvider(one.name) ?? true);
  if (!other) return why;
  return `${why}; to request it from ${other.provider.name}, use "${other.provider.name}/${shownName(name)}"`;
}

/** "provider/model", whatever the name begins with. */
function addressedBy(provider: string, id: string): string {
  return id.startsWith(`${provider}/`) ? id : `${provider}/${id}`;
}

/** A model's name in a message: clients can send any name. */
export function shownName(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}...` : name;
}
