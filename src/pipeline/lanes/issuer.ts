import type { BaseProvider } from '../../providers/base.ts';
import type { LaneContext } from './lane.ts';
import { CLAUDE, Issued } from '../../wire/parts/issued.ts';

/** The providers that accept the same signatures as this one's model: encrypted content is bound to an account. */
function issuerOf(provider: BaseProvider, model: string): string {
  const protocol = provider.protocol(model);
  const { type, quirks } = provider.settings;
  if (protocol === 'gemini' || quirks.keeps?.includes('extra_content')) return 'gemini';
  const claude = type === 'anthropic' || /claude/i.test(model);
  if (claude && (protocol === 'messages' || protocol === 'converse')) return CLAUDE;
  return `provider ${provider.name}`;
}

/** What may be sent back to this provider. */
export function issuedFor(
  provider: BaseProvider,
  model: string,
  { memory, unsealed = false }: Pick<LaneContext, 'memory' | 'unsealed'>,
): Issued {
  return new Issued(memory, issuerOf(provider, model), unsealed);
}
