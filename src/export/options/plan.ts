import { readFileSync } from 'node:fs';
import type { CurationOptions } from '../curate/options.ts';
import type { Plan } from '../convert/plan.ts';
import type { Format, RenderOptions } from '../render/format.ts';
import type { RedactKind } from '../../config/redact-kinds.ts';
import type { RedactOptions } from '../../redact/redactor.ts';
import type { Selection } from '../read/selection.ts';
import type { Options } from './options.ts';
import { fileReason } from '../../logs/names.ts';
import { ExportError } from '../errors.ts';
import { REDACT_KINDS } from '../../config/redact-kinds.ts';
import { customPattern } from '../../config/redact-patterns.ts';
import { orList } from '../../config/export/kinds.ts';

interface Decided {
  readonly selection: Selection;
  /** `undefined` for whole records. */
  readonly format: Format | undefined;
  readonly curation: CurationOptions;
}

/** Determines how each record is converted. */
export function planOf(options: Options, { selection, format, curation }: Decided): Plan {
  const maxTokens = options.value('max-tokens');
  if (maxTokens === undefined && options.given('on-long'))
    throw options.wrong('on-long', 'no row is too long: give --max-tokens');
  const redact = redactOf(options);
  const { near, leakThreshold, seed } = curation;
  const balance = options.value('balance');
  const metadata = options.value('metadata');
  if (format && metadata !== 'none' && !format.extras)
    throw options.wrong('metadata', `rows of ${format.name} may hold nothing but what the format knows`);
  return {
    selection,
    raw: format === undefined,
    content: {
      refusals: options.value('refusals'),
      images: options.value('images'),
      providerTools: options.value('provider-tools'),
      partsApart: redact !== undefined,
    },
    system: systemOf(options),
    format: format?.name ?? 'openai',
    render: renderOf(options, format),
    metadata,
    unrendered:
      format !== undefined &&
      (format.sampleKind === 'preference' ||
        format.sampleKind === 'label' ||
        curation.corrections ||
        curation.scores),
    earlier: earlierOf(curation, format),
    feedback: curation.feedback,
    ...(redact ? { redact } : {}),
    ...(near === undefined && leakThreshold === undefined ? {} : { nearSeed: seed }),
    compare: { duplicates: near !== undefined, leaks: leakThreshold !== undefined },
    countTokens: options.value('count-tokens'),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    onLong: options.value('on-long') ?? 'drop',
    ...(balance === undefined ? {} : { balance }),
    facts: options.value('stats'),
    verbose: options.value('verbose'),
  };
}

function earlierOf(
  { conversations, unlogged }: CurationOptions,
  format: Format | undefined,
): Plan['earlier'] {
  if (format?.loss === 'all') return unlogged === 'mask' ? 'unrendered' : 'train';
  if (format?.loss !== 'per_turn') return 'train';
  if (conversations === 'collapse') return 'unrendered';
  return unlogged === 'keep' ? 'train' : 'mask';
}

function renderOf(options: Options, format: Format | undefined): RenderOptions {
  const toolArguments = options.value('tool-args');
  const reasoning = options.value('reasoning');
  if (typeof reasoning === 'object') {
    if (OWN_FIELDS.has(reasoning.field))
      throw options.wrong('reasoning', 'messages have a field of that name already');
    if (format && !format.anyReasoningField)
      throw options.wrong(
        'reasoning',
        `messages of ${format.name} have no other field than their own: use inline`,
      );
  }
  return {
    reasoning: reasoning ?? format?.reasoning ?? 'drop',
    ...(toolArguments === undefined ? {} : { toolArguments }),
    mergeTurns: options.value('merge-turns'),
  };
}

const OWN_FIELDS = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'tool_call_id',
  'function_call',
  'weight',
  'train',
]);

function systemOf(options: Options): Plan['system'] {
  const system = options.value('system');
  if (system === 'keep' || system === 'drop') return system;
  const text = fileText(options, 'system').trim();
  if (text === '') throw options.wrong('system', 'the file is empty');
  return { text };
}

function fileText(options: Options, name: 'system' | 'redact-salt-file'): string {
  try {
    return readFileSync(options.text(name), 'utf8');
  } catch (cause) {
    throw options.wrong(name, fileReason(cause), { cause });
  }
}

function redactOf(options: Options): RedactOptions | undefined {
  const named = options.value('redact');
  const custom = options.value('redact-pattern').map((pattern) => {
    try {
      return customPattern(pattern);
    } catch (cause) {
      throw new ExportError('usage', `Cannot use --redact-pattern ${pattern}: ${(cause as Error).message}`, {
        cause,
      });
    }
  });
  const mode = options.value('redact-mode') ?? 'tag';
  if (named.length === 0 && custom.length === 0) {
    if (options.given('redact-mode'))
      throw options.wrong('redact-mode', 'nothing is to be hidden: give --redact');
    return undefined;
  }
  const salt = options.given('redact-salt-file') ? fileText(options, 'redact-salt-file').trim() : '';
  // Without a secret, the phone number behind a hash can be found by trying all numbers.
  if (mode !== 'tag' && salt === '')
    throw options.wrong('redact-mode', 'it needs a secret: --redact-salt-file FILE');
  return { kinds: kindsOf(named, options), custom, mode, salt };
}

function kindsOf(named: readonly string[], options: Options): readonly RedactKind[] {
  if (named.includes('all')) return REDACT_KINDS;
  return named.map((name) => {
    const kind = REDACT_KINDS.find((known) => known === name);
    if (kind === undefined) throw options.wrong('redact', `expected ${orList([...REDACT_KINDS, 'all'])}`);
    return kind;
  });
}
