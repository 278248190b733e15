/**
 * Generates the table of valid phone numbers, src/redact/phones/countries.generated.ts, from the metadata of
 * libphonenumber that libphonenumber-js ships: bun scripts/phone-countries.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import metadata from 'libphonenumber-js/metadata.min.json';
import { version } from 'libphonenumber-js/package.json';

const OUT = join(import.meta.dir, '../src/redact/phones/countries.generated.ts');
const FOLDER = join(import.meta.dir, '../node_modules/libphonenumber-js');

type Row = readonly [
  code: string,
  idd: string,
  pattern: string,
  lengths: readonly number[],
  formats: readonly (readonly unknown[])[] | 0,
  prefix?: string | 0,
];

const rows = Object.entries(metadata.countries as unknown as Readonly<Record<string, Row>>).map(
  ([country, [code, , pattern, lengths, , prefix]]) => [country, code, prefix || '', lengths, pattern],
);
const license = readFileSync(join(FOLDER, 'LICENSE'), 'utf8').trim();
writeFileSync(
  OUT,
  `/**
 * Written by scripts/phone-countries.ts from the metadata of libphonenumber-js ${version}. Do not edit. The metadata is
 * Google's, under the Apache License 2.0 (https://github.com/google/libphonenumber); libphonenumber-js is under this:
 *
${license
  .split('\n')
  .map((line) => ` * ${line}`.trimEnd())
  .join('\n')}
 */

/** The calling code, what is dialled before national numbers, how long these are, and their pattern. */
export const PHONE_COUNTRIES: readonly (readonly [
  country: string,
  code: string,
  prefix: string,
  lengths: readonly number[],
  pattern: string,
])[] = [
${rows.map((row) => `  ${JSON.stringify(row)},`).join('\n')}
];
`,
);
process.stdout.write(`${rows.length} countries\n`);
