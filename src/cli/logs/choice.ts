/** Selects records: with the flags of `llmproxy export`, and some of its own. */
import type { ArgsDef } from 'citty';
import type { ArgumentInfo } from '../argv/command.ts';
import type { OptionName } from '../../config/export/options.ts';
import type { GivenOptions, GivenValue } from '../../export/options/flags.ts';
import type { RecordTest } from '../../logs/newest/newest.ts';
import { itemsIn } from '../../config/export/kinds.ts';
import { OPTIONS } from '../../config/export/options.ts';
import { Options } from '../../export/options/options.ts';
import { selectionOf } from '../../export/options/selection.ts';
import { factsOf } from '../../export/read/entry.ts';
import { compileSelection } from '../../export/read/selection.ts';
import { compileWhere } from '../../export/read/where.ts';
import { HeadScan } from '../../logs/head.ts';
import { repeated } from '../argv/parse.ts';

/** Options of the export that select records by their heads. */
const SHARED = [
  'key',
  'model',
  'provider',
  'endpoint',
  'status',
  'user',
  'tag',
  'finish-reason',
  'min-tokens',
  'max-latency',
  'since',
  'until',
  'time-zone',
  'where',
] as const satisfies readonly OptionName[];

/** The flags that select records. */
export const CHOICE_FLAGS: ArgsDef = {
  failed: { type: 'boolean', description: 'Only errors and incomplete answers' },
  ...Object.fromEntries(
    SHARED.map((name) => {
      const { kind, hint, help } = OPTIONS[name];
      const flag: ArgsDef[string] & ArgumentInfo = {
        type: 'string',
        valueHint: hint ?? name,
        description: help,
        ...(kind.form === 'list' ? { repeatable: true } : {}),
      };
      return [name, flag];
    }),
  ),
};

/** The selection. */
export interface Choice {
  readonly test: RecordTest;
  readonly sinceMs: number | undefined;
  /** Whether any filter was given. */
  readonly any: boolean;
}

/**
 * @param args as given, flags as --name=value
 * @throws ExportError of kind `usage` for an invalid value
 */
export function choiceOf(args: readonly string[], nowMs: number): Choice {
  const values = Object.fromEntries(SHARED.flatMap((name) => given(name, args)));
  const flags: GivenOptions = { values, inputs: [] };
  const selection = selectionOf(new Options({ flags, env: NONE }), nowMs);
  const where = selection.where === undefined ? undefined : compileWhere(selection.where);
  const wanted = compileSelection(selection, where);
  const isFailed = repeated(args, 'failed').at(-1) === 'true';
  const over = (block: Buffer) => {
    const filter = wanted.over?.(block);
    const heads = isFailed ? new HeadScan(block) : undefined;
    return (from: number, to: number): boolean => {
      if (heads?.shared(from, to)?.startsWith(SUCCESS)) return false;
      return filter?.(from, to) === undefined;
    };
  };
  return {
    any: isFailed || Object.keys(values).length > 0,
    sinceMs: selection.fromMs,
    test: {
      ...(wanted.over || isFailed ? { over } : {}),
      wants(head, whole) {
        if (isFailed && head.outcome !== 'error' && head.outcome !== 'truncated') return false;
        const facts = factsOf(head);
        const record = where?.asksTexts ? whole() : head;
        return facts !== undefined && record !== undefined && wanted.entry(facts, record) === undefined;
      },
    },
  };
}

const NONE: GivenOptions = { values: {}, inputs: [] };

/** The beginning of the shared part of a head for a successful request. */
const SUCCESS = '","outcome":"success"';

function given(name: (typeof SHARED)[number], args: readonly string[]): [OptionName, GivenValue][] {
  const texts = repeated(args, name);
  if (texts.length === 0) return [];
  const { kind } = OPTIONS[name];
  return [[name, kind.form === 'list' ? texts.flatMap((text) => itemsIn(text, kind)) : texts.at(-1)!]];
}
