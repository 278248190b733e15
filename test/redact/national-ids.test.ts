/** Numbers that authorities and encyclopaedias publish as examples, and the same with a digit changed. */
import { expect, test } from 'bun:test';
import { NATIONAL_IDS } from '../../src/redact/national-ids/table.ts';
import { Redactor } from '../../src/redact/redactor.ts';

const EXAMPLES: readonly (readonly [name: string, text: string, id: string])[] = [
  ['AT SVNR', 'SVNR %', '1237 010180'],
  ['AU Medicare', 'Medicare %', '2123 45670 1'],
  ['AU TFN', 'TFN %', '123 456 782'],
  ['BE NRN', '%', '85.07.30-033 28'],
  ['BR CNPJ', '%', '11.222.333/0001-81'],
  ['BR CPF', '%', '111.444.777-35'],
  ['CA SIN', 'SIN %', '130 692 544'],
  ['CH AHV', '%', '756.9217.0769.85'],
  ['CL RUT', '%', '30.686.957-4'],
  ['CN RIC', '%', '11010519491231002X'],
  ['CZ RČ', '%', '710319/2745'],
  ['DE Steuer-ID', 'Steuer-ID %', '36574261809'],
  ['EE LT', 'isikukood %', '37605030299'],
  ['ES DNI', '%', '54362315K'],
  ['ES DNI', '%', 'X-5253868-R'],
  ['FI HETU', '%', '131052-308T'],
  ['FR NIR', '%', '2 95 10 99 126 111 93'],
  ['GB NHS', 'NHS number %', '943 476 5919'],
  ['GB NINO', '%', 'AB 12 34 56 C'],
  ['GR AMKA', 'AMKA %', '01013099997'],
  ['HK HKID', '%', 'A123456(3)'],
  ['HR OIB', 'OIB %', '33392005961'],
  ['IE PPS', '%', '1234567FA'],
  ['IL ID', 'Teudat Zehut %', '039337423'],
  ['IN Aadhaar', '%', '2341 2341 2346'],
  ['IT CF', '%', 'RSSMRA85T10A562S'],
  ['MX CURP', '%', 'BOXW310820HNERXN09'],
  ['NL BSN', 'BSN %', '111222333'],
  ['NO FNR', '%', '15108695088'],
  ['PL NIP', '%', '856-734-62-15'],
  ['PL PESEL', 'PESEL: %', '44051401359'],
  ['PT NIF', 'NIF %', '501964843'],
  ['RO CNP', 'CNP %', '1630615123457'],
  ['SE PNR', '%', '811228-9874'],
  ['SG NRIC', '%', 'S0000001I'],
  ['TH ID', '%', '1-2345-45678-78-1'],
  ['TR TCKN', 'TC kimlik no %', '17291716060'],
  ['TW ID', '%', 'A123456789'],
  ['ZA ID', 'ID number %', '7503305044089'],
];

const redactor = new Redactor({ kinds: ['national_id'], custom: [], mode: 'tag', salt: '' });
const hidden = (text: string) => {
  redactor.fresh();
  return redactor.text(text);
};

test.each(EXAMPLES.map(([name, text, id]) => [name, text, id]))(
  'Redactor hides a number of the kind %s in %s: %s',
  (_, text, id) => {
    for (const end of ['', '.', ', and'])
      expect(hidden(`${text.replace('%', id)}${end}`)).toBe(`${text.replace('%', '[NATIONAL_ID_1]')}${end}`);
  },
);

test('Redactor does not hide numbers with a wrong check digit', () => {
  // The last digit of a Medicare number counts the issued cards, and a National Insurance number has no check digit.
  const checked = EXAMPLES.filter(([name]) => name !== 'GB NINO' && name !== 'AU Medicare');
  const wrong = checked.map(([name, , id]) => {
    const at = id.search(/\d(?=\D*$)/);
    const other = id.slice(0, at) + String((Number(id[at]) + 1) % 10) + id.slice(at + 1);
    const row = NATIONAL_IDS.find((one) => one.name === name)!;
    return [name, row.check(other.replaceAll(/[ ./()+-]/g, ''))];
  });
  expect(wrong.filter(([, is]) => is)).toEqual([]);
});

test('Redactor hides numbers of a common form only after a word or key that names them', () => {
  expect(hidden('items 111222333 and 44051401359')).toBe('items 111222333 and 44051401359');
  expect(redactor.value({ nationalId: '111222333', count: '111222333' })).toEqual({
    nationalId: '[NATIONAL_ID_1]',
    count: '111222333',
  });
});
