import type { BaseProvider } from '../../providers/base.ts';
import type { LaneContext } from './lane.ts';
import { CLAUDE, Issued } from '../../wire/parts/issued.ts';

/** Whoever reads the same signatures as this provider's model: what is encrypted is bound to an account. */
function issuerOf(provider: BaseProvider, model: string): string {
  const protocol = provider.protocol(model);
  const { type, quirks } = provider.settings;
  if (protocol === 'gemini' || quirks.keeps?.includes('extra_content')) return 'gemini';
  const claude = type === 'anthropic' || /claude/i.test(model);
  if (claude && (protocol === 'messages' || protocol === 'converse')) return CLAUDE;
  return `provider ${provider.name}`;
}

/** What this provider may be given back. */
export function issuedFor(
  provider: BaseProvider,
  model: string,
  { memory, unsealed = false }: Pick<LaneContext, 'memory' | 'unsealed'>,
): Issued {
  return new Issued(memory, issuerOf(provider, model), unsealed);
}
