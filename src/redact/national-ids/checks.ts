/** Verifies national ID numbers by their check digits and dates. */
import { isDate, luhn, mod97, modulus11of10, weighted } from '../checksums.ts';

const dateAt =
  (year: number, month: number, day: number, offset = 0) =>
  (plain: string) =>
    isDate(
      Number(plain.slice(month, month + 2)) - offset,
      Number(plain.slice(day, day + 2)),
      Number(plain.slice(year, year + 2)),
    );
export const daysFirst = dateAt(4, 2, 0);
export const yearsFirst = dateAt(0, 2, 4);

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
const HETU_SIGNS = '0123456789ABCDEFHJKLMNPRSTUVWXY';

export function isAustrian(id: string): boolean {
  const sum = weighted(id, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
  return sum === Number(id[3]) && dateAt(8, 6, 4)(id);
}

/** For people born since 2000, a 2 precedes the digits. */
export function isBelgian(id: string): boolean {
  const [body, check] = [id.slice(0, 9), Number(id.slice(9))];
  return yearsFirst(id) && (97 - mod97(body) === check || 97 - mod97(`2${body}`) === check);
}

export function isBulgarian(id: string): boolean {
  const month = Number(id.slice(2, 4));
  const offset = month > 40 ? 40 : month > 20 ? 20 : 0;
  return (
    dateAt(0, 2, 4, offset)(id) && (weighted(id, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === Number(id[9])
  );
}

function brazilian(id: string, first: readonly number[], second: readonly number[]): boolean {
  const digit = (weights: readonly number[]) => {
    const rest = weighted(id, weights) % 11;
    return rest < 2 ? 0 : 11 - rest;
  };
  return !/^(\d)\1+$/.test(id) && digit(first) === Number(id.at(-2)) && digit(second) === Number(id.at(-1));
}

export function isCpf(id: string): boolean {
  return brazilian(id, [10, 9, 8, 7, 6, 5, 4, 3, 2], [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
}

export function isCnpj(id: string): boolean {
  const weights = [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
  return brazilian(id, weights, [6, ...weights]);
}

export function isEan13(id: string): boolean {
  return weighted(id, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0;
}

export function isRut(id: string): boolean {
  const body = Array.from(id.slice(0, -1)).toReversed();
  const sum = body.reduce((total, digit, at) => total + Number(digit) * (2 + (at % 6)), 0);
  return '0123456789K'[(11 - (sum % 11)) % 11] === id.at(-1);
}

export function isChinese(id: string): boolean {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return dateAt(8, 10, 12)(id) && '10X98765432'[weighted(id, weights) % 11] === id[17];
}

/** Women have 50 added to the month, and 20 more are added where numbers ran out. */
export function isCzech(id: string): boolean {
  const month = (Number(id.slice(2, 4)) % 50) % 20;
  // There were no check digits before 1954.
  const old = id.length === 9 && Number(id.slice(0, 2)) < 54;
  const whole = old || Number(id) % 11 === 0 || (Number(id.slice(0, 9)) % 11 === 10 && id[9] === '0');
  return isDate(month, Number(id.slice(4, 6)), Number(id.slice(0, 2))) && whole;
}

/** One of the first ten digits occurs two or three times, and at least one is missing. */
export function isSteuerId(id: string): boolean {
  const counts = new Map<string, number>();
  for (const digit of id.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return repeated.length === 1 && repeated[0]! <= 3 && modulus11of10(id);
}

export function isBaltic(id: string): boolean {
  const first = weighted(id, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
  const check = first < 10 ? first : (weighted(id, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11) % 10;
  return dateAt(1, 3, 5)(id) && check === Number(id[10]);
}

export function isSpanish(id: string): boolean {
  const digits = id.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return DNI_LETTERS[Number(digits) % 23] === id.at(-1);
}

/** The century sign may be a hyphen, which was removed as a separator. */
export function isFinnish(id: string): boolean {
  const digits = id.replace(/^(\d{6})[-+A-Z]?/, '$1');
  return daysFirst(digits) && HETU_SIGNS[Number(digits.slice(0, 9)) % 31] === digits[9];
}

export function isFrench(id: string): boolean {
  const digits = id.slice(0, 13).replace('2A', '19').replace('2B', '18');
  return 97 - mod97(digits) === Number(id.slice(13));
}

export function isHongKong(id: string): boolean {
  const signs = id.length === 8 ? `$${id}` : id;
  const value = (sign: string) =>
    /\d/.test(sign) ? Number(sign) : sign === '$' ? 36 : sign.charCodeAt(0) - 55;
  const sum = Array.from(signs.slice(0, 8)).reduce((total, sign, at) => total + value(sign) * (9 - at), 0);
  return '0123456789A'[(11 - (sum % 11)) % 11] === signs[8];
}

export function isIrish(id: string): boolean {
  const second = id[8] === undefined || id[8] === 'W' ? 0 : id.charCodeAt(8) - 64;
  const sum = weighted(id, [8, 7, 6, 5, 4, 3, 2]) + 9 * second;
  return 'WABCDEFGHIJKLMNOPQRSTUV'[sum % 23] === id[7];
}

/** @see https://www.agenziaentrate.gov.it, Decreto Ministeriale 23 December 1976 */
export function isItalian(id: string): boolean {
  const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
  const place = (sign: string) => (/\d/.test(sign) ? Number(sign) : sign.charCodeAt(0) - 65);
  const sum = Array.from(id.slice(0, 15)).reduce(
    (total, sign, at) => total + (at % 2 ? place(sign) : odd[place(sign)]!),
    0,
  );
  return String.fromCharCode(65 + (sum % 26)) === id[15];
}

export function isJapanese(id: string): boolean {
  const rest = weighted(id, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
  return (rest <= 1 ? 0 : 11 - rest) === Number(id[11]);
}

export function isCurp(id: string): boolean {
  const signs = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ';
  const sum = Array.from(id.slice(0, 17)).reduce(
    (total, sign, at) => total + signs.indexOf(sign) * (18 - at),
    0,
  );
  return dateAt(4, 6, 8)(id) && (10 - (sum % 10)) % 10 === Number(id[17]);
}

/** Foreign residents have 40 added to the day, or to the month. */
export function isNorwegian(id: string): boolean {
  const [day, month] = [Number(id.slice(0, 2)) % 40, Number(id.slice(2, 4)) % 40];
  return (
    isDate(month, day, Number(id.slice(4, 6))) &&
    weighted(id, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
    weighted(id, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  );
}

export function isPesel(id: string): boolean {
  const date = isDate(Number(id.slice(2, 4)) % 20, Number(id.slice(4, 6)), Number(id.slice(0, 2)));
  return date && weighted(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

export function isRomanian(id: string): boolean {
  const rest = weighted(id, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
  return dateAt(1, 3, 5)(id) && (rest === 10 ? 1 : rest) === Number(id[12]);
}

export function isSwedish(id: string): boolean {
  const digits = id.slice(-10);
  const day = Number(digits.slice(4, 6));
  return (
    isDate(Number(digits.slice(2, 4)), day > 60 ? day - 60 : day, Number(digits.slice(0, 2))) &&
    luhn(digits) === 0
  );
}

export function isSingaporean(id: string): boolean {
  const start = id[0]!;
  const offset = 'TG'.includes(start) ? 4 : start === 'M' ? 3 : 0;
  const rest = (weighted(id.slice(1), [2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
  if (start === 'M') return 'KLJNPQRTUWX'[10 - rest] === id[8];
  return ('ST'.includes(start) ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK')[rest] === id[8];
}

export function isTurkish(id: string): boolean {
  const tenth = weighted(id, [7, -1, 7, -1, 7, -1, 7, -1, 7]) % 10;
  return (
    (tenth + 10) % 10 === Number(id[9]) && weighted(id, Array<number>(10).fill(1)) % 10 === Number(id[10])
  );
}

export function isTaiwanese(id: string): boolean {
  const place = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(id[0]!) + 10;
  return weighted(`${place}${id.slice(1)}`, [1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]) % 10 === 0;
}
