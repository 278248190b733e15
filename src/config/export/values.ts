/** Values of `llmproxy export` with a syntax of their own. */
import { byteCount, milliseconds } from '../amounts.ts';
import { momentFrom } from '../moment.ts';
import { isTimeZone } from '../time-zone.ts';
import type { OptionKind } from './kinds.ts';
import { listOf, readBy } from './kinds.ts';

/** A number of rows, or a share of all rows. */
export type Sample = { readonly rows: number } | { readonly share: number };

/** One split of a dataset. */
export interface Split {
  readonly name: string;
  /** The share of all rows, in (0, 1]. */
  readonly share: number;
}

/** Where the reasoning of a model is put. */
export type ReasoningPlace = 'drop' | 'keep' | 'inline' | { readonly field: string };

/** A range of HTTP status codes, both ends inclusive. */
export type StatusRange = readonly [from: number, to: number];

export const sizeValue = readBy<number>(
  'a size such as 500MB',
  (text) => {
    const bytes = /^\d+$/.test(text) ? Number(text) : byteCount(text);
    return bytes !== undefined && bytes > 0 ? bytes : undefined;
  },
  { numeric: true },
);

export const latencyValue = readBy<number>('a time such as 2s or 500ms', milliseconds);

/** A time is kept as text: its meaning depends on the time zone and on the current time. */
export const momentValue = readBy<string>(
  'a day such as 2026-11-23, an ISO time, or a span such as 7d',
  (text) => (Number.isNaN(momentFrom(text, { nowMs: 0, timeZone: 'UTC' })) ? undefined : text),
);

export const zoneValue = readBy<string>('a name such as Europe/Berlin', (text) =>
  isTimeZone(text) ? text : undefined,
);

export const sampleValue = readBy<Sample>(
  'a number of rows, or a share such as 10%',
  (text) => {
    const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
    if (share !== undefined)
      return Number(share) > 0 && Number(share) <= 100 ? { share: Number(share) / 100 } : undefined;
    return /^[1-9]\d*$/.test(text) ? { rows: Number(text) } : undefined;
  },
  { numeric: true },
);

export const splitValue: OptionKind<readonly Split[]> = readBy(
  'shares that add up to 1: train=0.9,validation=0.1',
  (text) => {
    const splits = text.split(',').map((part) => {
      const [, name, share] = /^\s*([A-Za-z][\w-]*)\s*=\s*(\d*\.?\d+)\s*$/.exec(part) ?? [];
      return { name: name ?? '', share: Number(share) };
    });
    const total = splits.reduce((sum, { share }) => sum + share, 0);
    const sound = splits.every(({ name, share }) => name !== '' && share > 0);
    const names = new Set(splits.map(({ name }) => name));
    return sound && names.size === splits.length && splits.length < 256 && Math.abs(total - 1) < 1e-6
      ? splits
      : undefined;
  },
);

export const reasoningValue = readBy<ReasoningPlace>('drop, keep, inline or field=NAME', (text) => {
  const field = /^field=([A-Za-z_]\w*)$/.exec(text)?.[1];
  if (field !== undefined) return { field };
  return text === 'drop' || text === 'keep' || text === 'inline' ? text : undefined;
});

export const tagValues = listOf<readonly [name: string, value: string]>('NAME=VALUE', (text) => {
  const at = text.indexOf('=');
  return at < 1 ? undefined : [text.slice(0, at), text.slice(at + 1)];
});

export const statusValues = listOf<StatusRange>(
  '200, 2xx or 400-499',
  (text) => {
    const [, one, hundreds, from, to] = /^(?:(\d{3})|(\d)xx|(\d{3})-(\d{3}))$/i.exec(text.trim()) ?? [];
    if (one !== undefined) return [Number(one), Number(one)];
    if (hundreds !== undefined) return [Number(hundreds) * 100, Number(hundreds) * 100 + 99];
    return from === undefined ? undefined : [Number(from), Number(to)];
  },
  { commas: true, numeric: true },
);
