/** Types of values used in several sections of the configuration. */
import { z } from 'zod';

export const text = z.string().min(1);

/**
 * A schema that is built when a configuration first has such a value: building all of them would take a good part of
 * the time to start. It has no default of its own.
 */
export function onDemand<Schema extends z.ZodType>(build: () => Schema): z.ZodLazy<Schema> {
  const schema = z.lazy(build);
  const { _zod: internals } = schema;
  // Zod would build it in order to ask whether it has a default whenever the value is absent.
  Object.assign(internals, { optin: undefined, optout: undefined });
  return schema;
}

export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, ".", "_" or "-"');

/** How much of a request the log keeps. */
export const content = z.enum(['full', 'metadata', 'none']);

/** A list of patterns: an empty list allows nothing, an omitted one everything. */
export const globs = z.array(text);

/** A share from 0 to 1. */
export const rate = z.number().min(0).max(1);

const SHARE = 'expected a share such as "80%" or 0.8';

/** A share as "80%" or 0.8. Parsed to a number from 0 to 1. */
export const share = z
  .union([z.number().min(0, SHARE).max(1, SHARE), z.string().regex(/^(?:100|\d{1,2})(?:\.\d+)?%$/, SHARE)], {
    error: SHARE,
  })
  .transform((value) => (typeof value === 'number' ? value : Number.parseFloat(value) / 100))
  .refine((value) => value <= 1, SHARE);

const COUNT = 'expected a whole number, or one such as "200k" or "2M"';
const COUNT_UNITS = { k: 1_000, M: 1_000_000 } as const;

/** A whole number, or "200k", "2M". */
export const count = z
  .union([z.number().int().nonnegative(), z.string().regex(/^\d+(?:\.\d+)?[kM]$/, COUNT)], { error: COUNT })
  .transform((value) =>
    typeof value === 'number'
      ? value
      : Math.round(Number.parseFloat(value) * COUNT_UNITS[value.at(-1) as keyof typeof COUNT_UNITS]),
  );

const DATE = 'expected a day such as 2027-01-31, or a moment such as 2027-01-31T12:00:00Z';
const DAY_MS = 86_400_000;

/** A day, up to its end in UTC, or a time with an offset. Parsed to milliseconds since the epoch. */
export const until = z
  .union([z.iso.date(DATE), z.iso.datetime({ offset: true, error: DATE })], { error: DATE })
  .transform((value) =>
    value.includes('T') ? Date.parse(value) : Date.parse(`${value}T00:00:00Z`) + DAY_MS,
  );

/** A day, from its beginning in UTC, or a time with an offset. Parsed to milliseconds since the epoch. */
export const since = z
  .union([z.iso.date(DATE), z.iso.datetime({ offset: true, error: DATE })], { error: DATE })
  .transform((value) => Date.parse(value.includes('T') ? value : `${value}T00:00:00Z`));
