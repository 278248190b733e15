import { readFileSync } from 'node:fs';
import type { CurationOptions } from '../curate/options.ts';
import type { Plan } from '../convert/plan.ts';
import type { Format, RenderOptions } from '../render/format.ts';
import type { RedactKind } from '../redact/kinds.ts';
import type { RedactOptions } from '../redact/redactor.ts';
import type { Selection } from '../read/selection.ts';
import type { Picker } from './picker.ts';
import { fileReason } from '../../logs/names.ts';
import { ExportError } from '../errors.ts';
import type { FormatName } from '../render/all.ts';
import { REDACT_KINDS } from '../redact/kinds.ts';
import { customPattern } from '../redact/redactor.ts';
import { orList } from './picker.ts';

interface Decided {
  readonly selection: Selection;
  /** `undefined` for whole records. */
  readonly format: Format | undefined;
  readonly curation: CurationOptions;
}

/** What is made of each record. */
export function planOf(picker: Picker, { selection, format, curation }: Decided): Plan {
  const maxTokens = picker.whole('max-tokens', 1);
  if (maxTokens === undefined && picker.given('on-long'))
    throw picker.wrong('on-long', 'no row is too long: give --max-tokens');
  const redact = redactOf(picker);
  const { near, leakThreshold, seed } = curation;
  const balance = picker.text('balance');
  const metadata = picker.oneOf('metadata', ['none', 'min', 'full']) ?? 'none';
  if (format && metadata !== 'none' && !format.extras)
    throw picker.wrong('metadata', `rows of ${format.name} may hold nothing but what the format knows`);
  return {
    selection,
    raw: format === undefined,
    content: {
      refusals: picker.oneOf('refusals', ['exclude', 'content', 'keep']) ?? 'exclude',
      images: picker.oneOf('images', ['keep', 'drop', 'url-only']) ?? 'keep',
    },
    system: systemOf(picker),
    format: (format?.name ?? 'openai') as FormatName,
    render: renderOf(picker, format),
    metadata,
    unrendered:
      format !== undefined &&
      (format.sampleKind === 'preference' || format.sampleKind === 'label' || curation.corrections),
    earlier: earlierOf(curation, format),
    ...(redact ? { redact } : {}),
    ...(near === undefined && leakThreshold === undefined ? {} : { nearSeed: seed }),
    countTokens: picker.on('count-tokens'),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    onLong: picker.oneOf('on-long', ['drop', 'trim-oldest']) ?? 'drop',
    ...(balance === undefined ? {} : { balance }),
    verbose: picker.on('verbose'),
  };
}

function earlierOf(
  { conversations, unlogged }: CurationOptions,
  format: Format | undefined,
): Plan['earlier'] {
  if (format?.loss !== 'per_turn' || unlogged === 'keep') return 'train';
  return conversations === 'turns' ? 'mask' : 'unrendered';
}

function renderOf(picker: Picker, format: Format | undefined): RenderOptions {
  const toolArguments = picker.oneOf('tool-args', ['object', 'string']);
  const reasoning = picker.read('reasoning', reasoningIn, 'drop, keep, inline or field=NAME');
  if (typeof reasoning === 'object') {
    if (OWN_FIELDS.has(reasoning.field))
      throw picker.wrong('reasoning', 'messages have a field of that name already');
    if (format && !format.anyReasoningField)
      throw picker.wrong(
        'reasoning',
        `messages of ${format.name} have no other field than their own: use inline`,
      );
  }
  return {
    reasoning: reasoning ?? format?.reasoning ?? 'drop',
    ...(toolArguments === undefined ? {} : { toolArguments }),
    mergeTurns: picker.on('merge-turns'),
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

function reasoningIn(text: string): RenderOptions['reasoning'] | undefined {
  const field = /^field=([A-Za-z_]\w*)$/.exec(text)?.[1];
  if (field !== undefined) return { field };
  return text === 'drop' || text === 'keep' || text === 'inline' ? text : undefined;
}

function systemOf(picker: Picker): Plan['system'] {
  const system = picker.text('system') ?? 'keep';
  if (system === 'keep' || system === 'drop') return system;
  const text = fileText(picker, 'system').trim();
  if (text === '') throw picker.wrong('system', 'the file is empty');
  return { text };
}

function fileText(picker: Picker, name: 'system' | 'redact-salt-file'): string {
  try {
    return readFileSync(picker.text(name)!, 'utf8');
  } catch (cause) {
    throw new ExportError('usage', picker.wrong(name, fileReason(cause)).message, { cause });
  }
}

function redactOf(picker: Picker): RedactOptions | undefined {
  const named = picker.list('redact');
  const custom = picker.list('redact-pattern').map((pattern) => {
    try {
      return customPattern(pattern);
    } catch (cause) {
      throw new ExportError('usage', `Cannot use --redact-pattern ${pattern}: ${(cause as Error).message}`, {
        cause,
      });
    }
  });
  const mode = picker.oneOf('redact-mode', ['tag', 'hash', 'fake']) ?? 'tag';
  if (named.length === 0 && custom.length === 0) {
    if (picker.given('redact-mode'))
      throw picker.wrong('redact-mode', 'nothing is to be hidden: give --redact');
    return undefined;
  }
  const salt = picker.given('redact-salt-file') ? fileText(picker, 'redact-salt-file').trim() : '';
  // Without a secret anybody can try all phone numbers and see which one gives the hash.
  if (mode !== 'tag' && salt === '')
    throw picker.wrong('redact-mode', 'it needs a secret: --redact-salt-file FILE');
  return { kinds: kindsOf(named, picker), custom, mode, salt };
}

function kindsOf(named: readonly string[], picker: Picker): readonly RedactKind[] {
  if (named.includes('all')) return REDACT_KINDS;
  return named.map((name) => {
    const kind = REDACT_KINDS.find((known) => known === name);
    if (kind === undefined) throw picker.wrong('redact', `expected ${orList([...REDACT_KINDS, 'all'])}`);
    return kind;
  });
}
