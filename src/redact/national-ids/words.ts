/** Words that precede national ID numbers. */
export const NATIONAL_ID_WORDS = new RegExp(
  [
    'national (?:id|identity|identification|insurance)',
    '\\b(?:identity|identification|personal|citizen|resident|taxpayer|birth) (?:card|code|id|no|number)\\b',
    '\\bid (?:number|card|no)\\b',
    '\\btax(?:payer)? (?:id|number|no|file|identification)',
    '\\b(?:nin|tin|itin|nino|nhs|tfn|abn|bsn|sofi|pesel|nip|cpf|cnpj|dni|curp|rfc|rut|run|cuit|cuil|dni|oib|egn|jmbg|amka|afm|cnp|cpr|hetu|idnr|svnr|ahv|avs|nric|fin|hkid|rrn|aadhaa?r|uidai|tckn|nif|pps|ppsn|rsiqn)\\b',
    '(?-i:\\b(?:SIN|PAN|NIE|NIR)\\b)',
    '\\bssn\\b|\\bsocial (?:insurance|security)',
    '\\bmedicare\\b',
    'burgerservicenummer|sozialversicherung|steuer ?(?:id|nummer|identif)|personnummer|f[øo]dselsnummer|henkil[öo]tunnus|isikukood|asmens kodas|personas kods',
    'codice fiscale|s[eé]curit[eé] sociale|num[eé]ro fiscal|contribuinte|c[eé]dula|rodn[eé] [cč][ií]slo|kimlik|teudat|zehut|\\bsa id\\b',
    'егн|инн|снилс|αμκα|αφμ|ת\\.ז|תעודת זהות|マイナンバー|個人番号|my number|주민등록번호|身份证|身分證|आधार',
  ].join('|'),
  'iu',
);
