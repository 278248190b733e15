/** The `export` section of the configuration, derived from the table of options. */
import { z } from 'zod';
import type { OptionKind } from './kinds.ts';
import { itemsIn } from './kinds.ts';
import type { OptionRow } from './options.ts';
import { configKeyOf, OPTION_NAMES, OPTIONS } from './options.ts';

/** The values of the section by key, parsed like options from any other source. */
export type ExportSection = Readonly<Record<string, ConfigValue>>;
type ConfigValue = boolean | number | string | readonly string[];

/** The schema of the section. It has no defaults: those belong to the options. */
export function exportSection(): z.ZodType<ExportSection> {
  const rows = OPTION_NAMES.filter((name) => OPTIONS[name].config !== false);
  const shape = Object.fromEntries(rows.map((name) => [configKeyOf(name), keySchema(OPTIONS[name])]));
  return z.strictObject(shape) as unknown as z.ZodType<ExportSection>;
}

function keySchema({ kind, help, config, fallback }: OptionRow<unknown>): z.ZodType {
  const description = typeof config === 'string' ? config : `${help}.`;
  const shown = fallback === undefined || kind.form === 'list' ? {} : { default: fallback };
  return valueSchema(kind)
    .optional()
    .meta({ description, ...shown });
}

function valueSchema(kind: OptionKind<unknown>): z.ZodType {
  const { form, words, range } = kind;
  if (form === 'switch') return z.boolean();
  if (form === 'list') {
    const item = textSchema(kind);
    return z.union([item, z.array(item)], { error: expectation(kind) });
  }
  if (range) {
    const least = z.number().min(range.least);
    const number = range.most < Number.MAX_SAFE_INTEGER ? least.max(range.most) : least;
    const bounded = range.whole ? number.int() : number;
    return words && words.length > 0
      ? z.union([bounded, z.enum(words)], { error: expectation(kind) })
      : bounded;
  }
  return words ? z.enum(words) : textSchema(kind);
}

/** A text that the kind can parse, or for a list several; or a number where the kind allows one. */
function textSchema(kind: OptionKind<unknown>): z.ZodType {
  const text = z.string().min(1);
  const isRead = (value: unknown) =>
    itemsIn(String(value), kind).every((item) => kind.read(item) !== undefined);
  const schema: z.ZodType = kind.numeric ? z.union([text, z.number()], { error: expectation(kind) }) : text;
  return schema.refine(isRead, { error: expectation(kind) });
}

function expectation({ expected }: OptionKind<unknown>): string {
  return `expected ${expected}`;
}
