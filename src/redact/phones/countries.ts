/** Which digits can be a phone number. */
import { PHONE_COUNTRIES } from './countries.generated.ts';

interface Country {
  readonly prefix: string;
  readonly lengths: readonly number[];
  readonly source: string;
  pattern?: RegExp;
}

let byCode: Map<string, Country[]> | undefined;

function countries(): Map<string, Country[]> {
  if (byCode) return byCode;
  byCode = new Map();
  for (const [, code, prefix, lengths, source] of PHONE_COUNTRIES) {
    const all = byCode.get(code) ?? [];
    all.push({ prefix, lengths, source });
    byCode.set(code, all);
  }
  return byCode;
}

function fits(country: Country, digits: string): boolean {
  country.pattern ??= new RegExp(`^(?:${country.source})$`);
  return country.lengths.includes(digits.length) && country.pattern.test(digits);
}

/**
 * Whether digits with their calling code are a number: `possible` by their count, `valid` by the plan of a country too.
 * @param digits without `+` or `00`
 */
export function international(digits: string): 'valid' | 'possible' | undefined {
  for (let size = 1; size <= 3; size++) {
    const all = countries().get(digits.slice(0, size));
    if (!all) continue;
    const national = digits.slice(size);
    // `+44 (0)20 ...` is widely written.
    const without = national.replace(/^0/, '');
    if (all.some((country) => fits(country, national) || fits(country, without))) return 'valid';
    const counts = [national.length, without.length];
    return all.some(({ lengths }) => counts.some((count) => lengths.includes(count)))
      ? 'possible'
      : undefined;
  }
  return undefined;
}

/** Whether digits that begin with 0 are a number of a country with the trunk prefix 0. */
export function hasTrunkPrefix(digits: string): boolean {
  if (!digits.startsWith('0')) return false;
  for (const all of countries().values())
    for (const country of all) if (country.prefix === '0' && fits(country, digits.slice(1))) return true;
  return fits(countries().get('39')![0]!, digits);
}
