import type { Raise } from '../../config/schema/auth.ts';
import { PERIODS } from '../../config/schema/groups.ts';
import { count } from '../../config/words.ts';
import { ExitError } from '../exit.ts';

export type Kind = Raise['kind'];

const KINDS: readonly Kind[] = ['budget', 'tokens', 'requests', 'concurrent'];

export interface Amount {
  readonly kind: Kind;
  /** USD for a budget. */
  readonly amount: number;
}

type Given = { readonly [kind in Kind]?: string | undefined };

/** The amounts in flags of these names. A leading plus is ignored. @throws ExitError 2 for invalid ones */
export function amountsIn(given: Given): Amount[] {
  return KINDS.flatMap((kind) => {
    const text = given[kind];
    return text === undefined ? [] : [{ kind, amount: amountOf(kind, text) }];
  });
}

function amountOf(kind: Kind, text: string): number {
  const bare = text.replace(/^\+/, '');
  const number = bare.trim() === '' ? Number.NaN : Number(bare);
  if (kind === 'budget') {
    if (Number.isFinite(number) && number > 0) return number;
    throw new ExitError(2, `Cannot use --budget ${text}: expected an amount of USD such as 50 or 0.5`);
  }
  const read = count.safeParse(Number.isNaN(number) ? bare : number);
  if (read.success && read.data > 0) return read.data;
  throw new ExitError(2, `Cannot use --${kind} ${text}: expected a whole number such as 500, 200k or 2M`);
}

/** The limits of a key in the form of the file. @param per the window of all except `concurrent` */
export function limitsIn(given: Given, per: string | undefined): object[] | undefined {
  const amounts = amountsIn(given);
  const windowed = amounts.filter(({ kind }) => kind !== 'concurrent');
  if (per !== undefined && !(PERIODS as readonly string[]).includes(per))
    throw new ExitError(2, `Cannot use --per ${per}: expected ${PERIODS.join(', ')}`);
  if (windowed.length > 0 && per === undefined)
    throw new ExitError(2, `Cannot use --${windowed[0]!.kind}: give --per ${PERIODS.join(', ')}`);
  if (windowed.length === 0 && per !== undefined)
    throw new ExitError(2, 'Cannot use --per: give --budget, --tokens or --requests');
  const limits = amounts.map(({ kind, amount }) =>
    kind === 'concurrent' ? { concurrent: amount } : { [kind]: amount, per },
  );
  return limits.length > 0 ? limits : undefined;
}
