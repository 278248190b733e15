/** Text of people and programs around values; `%` is the value. */
import type { Chance } from './seeded.ts';

/** Sentences around a phone number, by language. */
export const PHONE_SENTENCES: Readonly<Record<string, readonly string[]>> = {
  en: [
    'Please call me at %.',
    'My phone number is %, thanks!',
    'Tel: %',
    'You can reach the office on % after 9.',
    'mobile % / office later',
    '{"phone": "%"}',
    'Text me on WhatsApp: %',
    'contact: Jane Doe, %',
  ],
  de: ['Bitte ruf mich unter % an.', 'Telefon: %', 'Handy % (nur abends)', 'Meine Nummer ist %.'],
  fr: ['Appelez-moi au %.', 'Tél. : %', 'Mon numéro de portable est le %, merci.', 'Téléphone %'],
  es: ['Llámame al %.', 'Teléfono: %', 'Mi móvil es el %.', 'Puedes contactarme en el %, gracias'],
  pt: ['Me liga no %.', 'Telefone: %', 'Meu celular é %.', 'WhatsApp: %'],
  it: ['Chiamami al %.', 'Tel. %', 'Il mio cellulare è %.', 'Telefono: %'],
  nl: ['Bel me op %.', 'Telefoon: %', 'Mijn mobiele nummer is %.'],
  pl: ['Zadzwoń do mnie: %.', 'Telefon: %', 'Mój numer to %.'],
  cs: ['Zavolejte mi na %.', 'Telefon: %', 'Mobil: %'],
  sv: ['Ring mig på %.', 'Telefon: %', 'Mobil: %'],
  da: ['Ring til mig på %.', 'Telefon: %', 'Mobil: %'],
  fi: ['Soita minulle numeroon %.', 'Puhelin: %', 'Puh. %'],
  ru: ['Позвоните мне по номеру %.', 'Телефон: %', 'Моб. %', 'тел. %'],
  uk: ['Зателефонуйте мені: %.', 'Телефон: %'],
  tr: ['Beni % numarasından arayın.', 'Telefon: %', 'Cep: %'],
  hu: ['Hívjon a % számon.', 'Telefon: %', 'Mobil: %'],
  ro: ['Sunați-mă la %.', 'Telefon: %'],
  el: ['Καλέστε με στο %.', 'Τηλέφωνο: %'],
  he: ['התקשרו אליי %.', 'טלפון: %'],
  ar: ['اتصل بي على %.', 'هاتف: %'],
  ja: ['電話番号は%です。', '電話: %', '携帯 %'],
  ko: ['전화번호는 %입니다.', '전화: %', '휴대폰 %'],
  zh: ['我的电话是%。', '手机:%', '联系电话 %'],
  hi: ['मेरा फ़ोन नंबर % है।', 'फ़ोन: %', 'Mobile no. %'],
};

/** Text that does not identify the value. */
export const BARE_SENTENCES: readonly string[] = [
  '%',
  'Jane Doe, %.',
  'Best regards\nJane Doe\n%\nExample Ltd',
  '(%)',
  '| Jane | % | yes |',
];

/** Text around a value with a form of its own. */
export const PLAIN_SENTENCES: readonly string[] = [
  'It is %.',
  'Use %, please.',
  '%',
  'The value "%" was rejected',
  "x = '%'",
  '{"value":"%","n":1}',
  '- %\n- other',
  'see (%), or ask',
  'one: %; two',
  '**%**',
  '`%`',
];

export function within(sentence: string, value: string): string {
  return sentence.replace('%', () => value);
}

export function placed(sentences: readonly string[], value: string, chance: Chance): string {
  return within(chance.pick(sentences), value);
}
