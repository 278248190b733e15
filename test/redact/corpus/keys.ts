/** API keys of vendors as in their documentation, and other tokens that are recognized by form or context. */
import type { Case } from './case.ts';
import type { Chance } from './seeded.ts';
import { sample } from './seeded.ts';
import { placed, PLAIN_SENTENCES } from './sentences.ts';

const HEX = '[0-9a-f]';
const ALNUM = '[A-Za-z0-9]';
const URLSAFE = '[A-Za-z0-9_-]';
const UUID = `${HEX}{8}-${HEX}{4}-4${HEX}{3}-[89ab]${HEX}{3}-${HEX}{12}`;

/** Keys that begin with a vendor's prefix. */
const PREFIXED: Readonly<Record<string, string>> = {
  OpenAI: `sk-${ALNUM}{20}T3BlbkFJ${ALNUM}{20}`,
  'OpenAI project': `sk-proj-${URLSAFE}{74}T3BlbkFJ${URLSAFE}{74}`,
  'OpenAI admin': `sk-admin-${URLSAFE}{58}T3BlbkFJ${URLSAFE}{58}`,
  Anthropic: `sk-ant-api03-${URLSAFE}{93}AA`,
  'Anthropic OAuth': `sk-ant-oat01-${URLSAFE}{86}AA`,
  OpenRouter: `sk-or-v1-${HEX}{64}`,
  DeepSeek: `sk-${HEX}{32}`,
  Groq: `gsk_${ALNUM}{52}`,
  xAI: `xai-${ALNUM}{80}`,
  Google: `AIza${URLSAFE}{35}`,
  'Google OAuth': `GOCSPX-${URLSAFE}{28}`,
  'Google access': `ya29\\.a0${URLSAFE}{120}`,
  'Hugging Face': `hf_[A-Za-z]{34}`,
  Replicate: `r8_${ALNUM}{37}`,
  Perplexity: `pplx-${ALNUM}{48}`,
  Fireworks: `fw_${ALNUM}{24}`,
  Cerebras: 'csk-[a-z0-9]{48}',
  NVIDIA: `nvapi-${URLSAFE}{64}`,
  Together: `tgp_v1_${URLSAFE}{43}`,
  Voyage: `pa-${URLSAFE}{43}`,
  Tavily: `tvly-${ALNUM}{32}`,
  LangSmith: `lsv2_pt_${HEX}{32}_${HEX}{10}`,
  Langfuse: `sk-lf-${UUID}`,
  Pinecone: `pcsk_${ALNUM}{6}_${ALNUM}{63}`,
  Firecrawl: `fc-${HEX}{32}`,
  Jina: `jina_${ALNUM}{60}`,
  AWS: 'AKIA[A-Z2-7]{16}',
  'AWS temporary': 'ASIA[A-Z2-7]{16}',
  GitHub: `ghp_${ALNUM}{36}`,
  'GitHub app': `ghs_${ALNUM}{36}`,
  'GitHub fine-grained': `github_pat_${ALNUM}{22}_${ALNUM}{59}`,
  GitLab: `glpat-${URLSAFE}{20}`,
  'GitLab runner': `glrt-${URLSAFE}{20}`,
  'GitLab trigger': `glptt-${HEX}{40}`,
  Slack: `xoxb-[0-9]{12}-[0-9]{12}-${ALNUM}{24}`,
  'Slack user': `xoxp-[0-9]{12}-[0-9]{12}-[0-9]{12}-${HEX}{32}`,
  'Slack app': `xapp-1-A[A-Z0-9]{10}-[0-9]{13}-${HEX}{64}`,
  Stripe: `sk_live_${ALNUM}{24}`,
  'Stripe restricted': `rk_live_${ALNUM}{99}`,
  'Stripe webhook': `whsec_${ALNUM}{32}`,
  Square: `sq0atp-${URLSAFE}{22}`,
  Shopify: `shpat_${HEX}{32}`,
  PayPal: `access_token\\$production\\$[0-9a-z]{16}\\$${HEX}{32}`,
  Twilio: `SK${HEX}{32}`,
  SendGrid: `SG\\.${URLSAFE}{22}\\.${URLSAFE}{43}`,
  Mailgun: `key-${HEX}{32}`,
  Mailchimp: `${HEX}{32}-us[1-9]`,
  Brevo: `xkeysib-${HEX}{64}-[a-zA-Z0-9]{16}`,
  Postman: `PMAK-${HEX}{24}-${HEX}{34}`,
  npm: `npm_${ALNUM}{36}`,
  PyPI: `pypi-AgEIcHlwaS5vcmc${URLSAFE}{100}`,
  RubyGems: `rubygems_${HEX}{48}`,
  Docker: `dckr_pat_${URLSAFE}{27}`,
  DigitalOcean: `dop_v1_${HEX}{64}`,
  Databricks: `dapi${HEX}{32}`,
  Doppler: `dp\\.pt\\.${ALNUM}{43}`,
  Dynatrace: 'dt0c01\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}',
  Grafana: `glsa_${ALNUM}{32}_${HEX}{8}`,
  'Grafana cloud': `glc_${ALNUM}{80}`,
  'HashiCorp Vault': `hvs\\.${URLSAFE}{92}`,
  Terraform: `${ALNUM}{14}\\.atlasv1\\.${URLSAFE}{67}`,
  Heroku: `HRKU-AA${URLSAFE}{58}`,
  'Fly.io': `fo1_${URLSAFE}{43}`,
  Linear: `lin_api_${ALNUM}{40}`,
  Notion: `ntn_[0-9]{11}${ALNUM}{35}`,
  Airtable: `pat${ALNUM}{14}\\.${HEX}{64}`,
  Atlassian: `ATATT3${URLSAFE}{186}`,
  Asana: `1/[0-9]{16}:${HEX}{32}`,
  Figma: `figd_${URLSAFE}{40}`,
  'New Relic': 'NRAK-[A-Z0-9]{27}',
  Sentry: `sntryu_${HEX}{64}`,
  PlanetScale: `pscale_tkn_${URLSAFE}{43}`,
  Supabase: `sbp_${HEX}{40}`,
  Telegram: `[1-9][0-9]{9}:AA${URLSAFE}{33}`,
  Discord: `M[A-Za-z0-9]{23}\\.${URLSAFE}{6}\\.${URLSAFE}{38}`,
  'Azure AD': `${ALNUM}{3}8Q~${URLSAFE}{34}`,
  Alibaba: `LTAI${ALNUM}{20}`,
  Tencent: `AKID${ALNUM}{32}`,
  Facebook: `EAAM${ALNUM}{120}`,
  Adobe: 'p8e-[a-z0-9]{32}',
  age: 'AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}',
  '1Password': 'A3-[A-Z0-9]{6}-[A-Z0-9]{11}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}',
  Pulumi: `pul-${HEX}{40}`,
  Prefect: `pnu_${ALNUM}{36}`,
  ReadMe: 'rdme_[a-z0-9]{70}',
  EasyPost: `EZAK${ALNUM}{54}`,
  Duffel: `duffel_live_${URLSAFE}{43}`,
  Shippo: `shippo_live_${HEX}{40}`,
  Clojars: 'CLOJARS_[a-z0-9]{60}',
  Artifactory: `AKCp${ALNUM}{69}`,
  Sourcegraph: `sgp_${HEX}{40}`,
  'Tailscale auth': `tskey-auth-k${ALNUM}{10}CNTRL-${ALNUM}{32}`,
};

/** Keys without a form of their own: the name before them identifies them. */
const NAMED: Readonly<Record<string, readonly [names: readonly string[], shape: string]>> = {
  'AWS secret': [['aws_secret_access_key', 'AWS_SECRET_ACCESS_KEY'], '[A-Za-z0-9/+]{40}'],
  Azure: [['AZURE_OPENAI_API_KEY', 'azure_api_key'], `${HEX}{32}`],
  Cohere: [['COHERE_API_KEY', 'CO_API_KEY'], `${ALNUM}{40}`],
  Mistral: [['MISTRAL_API_KEY', 'mistral_api_key'], `${ALNUM}{32}`],
  ElevenLabs: [['ELEVENLABS_API_KEY', 'xi-api-key'], `${HEX}{32}`],
  Datadog: [['DD_API_KEY', 'datadog_api_key'], `${HEX}{32}`],
  Cloudflare: [['CLOUDFLARE_API_TOKEN', 'cloudflare_token'], `${URLSAFE}{40}`],
  Algolia: [['ALGOLIA_API_KEY', 'algolia_admin_key'], '[a-z0-9]{32}'],
  Okta: [['okta_token', 'OKTA_API_TOKEN'], `00${URLSAFE}{40}`],
  'Twilio auth': [['TWILIO_AUTH_TOKEN', 'twilio_auth_token'], `${HEX}{32}`],
  Zendesk: [['ZENDESK_SECRET_KEY'], `${ALNUM}{40}`],
  Snyk: [['SNYK_TOKEN', 'snyk_api_key'], UUID],
  Azure_storage: [['AccountKey', 'AZURE_STORAGE_KEY'], '[A-Za-z0-9+/]{86}=='],
  Django: [['SECRET_KEY'], '[a-z0-9@#^_-]{4}7[a-z0-9@#^_-]{45}'],
  generic: [
    ['api_key', 'apiKey', 'API-KEY', 'client_secret', 'access_token', 'auth_token', 'x-api-key'],
    `${ALNUM}{15}7${ALNUM}{16}`,
  ],
  password: [
    ['password', 'DB_PASSWORD', 'passwd', 'db_pass', 'passphrase', 'pwd'],
    `[A-Za-z]{4}[0-9]${ALNUM}{7}[!#%]`,
  ],
};

const NAMED_SENTENCES = [
  '%n=%v',
  'export %n="%v"',
  "%n: '%v'",
  '{"%n": "%v"}',
  'My %n = %v.',
  'const %n = "%v";',
  'set %n to: %n: %v, then go on',
  "os.environ['%n'] = '%v'",
];

/** Keys in the URLs of webhooks. */
const WEBHOOKS: Readonly<Record<string, readonly [before: string, secret: string, after: string]>> = {
  Slack: ['https://hooks.slack.com/services/', `T[A-Z0-9]{10}/B[A-Z0-9]{10}/${ALNUM}{24}`, ''],
  'Slack workflow': [
    'https://hooks.slack.com/workflows/',
    `T[A-Z0-9]{10}/A[A-Z0-9]{10}/[0-9]{18}/${ALNUM}{24}`,
    '',
  ],
  Discord: ['https://discord.com/api/webhooks/', `[0-9]{18}/${URLSAFE}{68}`, ''],
  Teams: [
    'https://example.webhook.office.com/webhookb2/',
    `${UUID}@${UUID}/IncomingWebhook/${HEX}{32}/${UUID}`,
    '',
  ],
  'Google Chat': ['https://chat.googleapis.com/v1/spaces/AAAA/messages?key=', `AIza${URLSAFE}{35}`, ''],
  'Google Chat token': [
    'https://chat.googleapis.com/v1/spaces/AAAA/messages?a=b&token=',
    `${URLSAFE}{43}`,
    '',
  ],
  Zapier: ['https://hooks.zapier.com/hooks/catch/', `[0-9]{7}/[a-z0-9]{7}`, '/'],
  IFTTT: ['https://maker.ifttt.com/trigger/door/with/key/', `${URLSAFE}{22}`, ''],
  Make: ['https://hook.eu1.make.com/', '[a-z0-9]{32}', ''],
  Feishu: ['https://open.feishu.cn/open-apis/bot/v2/hook/', UUID, ''],
  DingTalk: ['https://oapi.dingtalk.com/robot/send?access_token=', `${HEX}{64}`, ''],
  WeCom: ['https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=', UUID, ''],
  Mattermost: ['https://chat.example.com/hooks/', '[a-z0-9]{26}', ''],
  'Rocket.Chat': ['https://chat.example.com/hooks/', `${ALNUM}{17}/${ALNUM}{64}`, ''],
  Telegram: ['https://api.telegram.org/bot', `[1-9][0-9]{9}:AA${URLSAFE}{33}`, '/sendMessage'],
  PagerDuty: ['https://events.pagerduty.com/integration/', `${HEX}{32}`, '/enqueue'],
  'Logic Apps': [
    'https://prod-1.westus.logic.azure.com/workflows/x/triggers/manual/paths/invoke?sp=%2F&sv=1.0&sig=',
    `${URLSAFE}{43}`,
    '',
  ],
  'Azure SAS': ['https://a.blob.core.windows.net/c/b?sv=2022-11-02&sp=r&sig=', `${ALNUM}{41}%3D`, ''],
  'AWS signed': [
    'https://b.s3.amazonaws.com/k?X-Amz-Date=20250101T000000Z&X-Amz-Signature=',
    `${HEX}{64}`,
    '',
  ],
  'Google signed': ['https://storage.googleapis.com/b/o?X-Goog-Signature=', `${HEX}{256}`, ''],
};

const URL_PASSWORDS = [
  'postgres://app:%@db.example.com:5432/app',
  'mysql+pymysql://root:%@localhost/x',
  'redis://:%@cache:6379/0',
  'mongodb+srv://admin:%@cluster0.abcde.mongodb.net/?retryWrites=true',
  'https://ci:%@git.example.com/team/repo.git',
  'amqp://guest:%@mq/vhost',
  'ftp://u:%@files.example.com',
];

const HEADERS: readonly (readonly [text: string, secret: string])[] = [
  ['Authorization: Bearer %', `${URLSAFE}{30}7${URLSAFE}{9}`],
  ['curl -H "Authorization: Bearer %" https://api.example.com', `${HEX}{40}`],
  ['curl -H "X-Api-Key: %" https://api.example.com', `${ALNUM}{20}7${ALNUM}{11}`],
  ["-H 'PRIVATE-TOKEN: %'", `${ALNUM}{10}7${ALNUM}{9}`],
  ['Authorization: token %', `${HEX}{39}7`],
  ['curl -u jane:% https://api.example.com/x', `${ALNUM}{10}7${ALNUM}{5}`],
  ['curl --user "jane:%" https://api.example.com/x', `${ALNUM}{10}7${ALNUM}{5}`],
];

const EACH = 8;

export function keyCases(chance: Chance): Case[] {
  const cases: Case[] = [];
  const add = (group: string, secret: string, text: string) =>
    cases.push({ kind: 'key', group, secret, text });
  for (const shape of Object.values(PREFIXED))
    for (let count = 0; count < EACH; count++) {
      const secret = sample(shape, chance);
      add(
        'with a prefix',
        secret,
        placed([...PLAIN_SENTENCES, 'key=%', 'Use %.', 'token: %, or'], secret, chance),
      );
    }
  for (const [names, shape] of Object.values(NAMED))
    for (let count = 0; count < 2 * EACH; count++) {
      const secret = sample(shape, chance);
      const name = chance.pick(names);
      const sentence = chance.pick(NAMED_SENTENCES).replaceAll('%n', () => name);
      add(
        'named',
        secret,
        sentence.replaceAll('%v', () => secret),
      );
    }
  for (const [before, shape, after] of Object.values(WEBHOOKS))
    for (let count = 0; count < EACH; count++) {
      const secret = sample(shape, chance);
      add(
        'webhooks',
        secret,
        placed(['%', 'POST %.', 'curl -X POST "%"', '[hook](%)'], before + secret + after, chance),
      );
    }
  for (const sentence of URL_PASSWORDS)
    for (let count = 0; count < EACH; count++) {
      const secret = sample(`[A-Za-z]{3}[0-9a-zA-Z!$*_.-]{${4 + chance.below(12)}}`, chance);
      add(
        'in URLs',
        secret,
        sentence.replace('%', () => secret),
      );
    }
  for (const [sentence, shape] of HEADERS)
    for (let count = 0; count < EACH; count++) {
      const secret = sample(shape, chance);
      add(
        'in headers',
        secret,
        sentence.replace('%', () => secret),
      );
    }
  return cases;
}

/** How many vendors and services the corpus has keys of. */
export const VENDORS =
  Object.keys(PREFIXED).length + Object.keys(NAMED).length + Object.keys(WEBHOOKS).length;

export function jwtCases(chance: Chance): Case[] {
  return Array.from({ length: 60 }, () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = {
      alg: chance.pick(['HS256', 'RS256', 'ES256', 'none']),
      typ: 'JWT',
      kid: chance.digits(6),
    };
    const claims = {
      sub: chance.digits(10),
      iat: 1_700_000_000 + chance.below(1e6),
      name: sample('[A-Z][a-z]{5}', chance),
    };
    const secret = `${part(header)}.${part(claims)}.${sample(`${URLSAFE}{43}`, chance)}`;
    const sentences = [
      ...PLAIN_SENTENCES,
      'Authorization: Bearer %',
      'id_token=%&x=1',
      'Cookie: session=%; a=b',
    ];
    return {
      kind: 'jwt',
      group: String(header.alg),
      secret,
      text: placed(sentences, secret, chance),
    } as const;
  });
}

const PEM_LABELS = [
  'PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY',
  'DSA PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'OPENSSH PRIVATE KEY',
  'PGP PRIVATE KEY BLOCK',
];

export function privateKeyCases(chance: Chance): Case[] {
  const cases: Case[] = [];
  const lines = (count: number, width = 64) =>
    Array.from({ length: count }, () => sample(`[A-Za-z0-9+/]{${width}}`, chance)).join('\n');
  const add = (group: string, key: string) => {
    const text = chance.pick([
      key,
      `here:\n${key}\nthanks`,
      `key: "${key.replaceAll('\n', '\\n')}"`,
      `{"pem":${JSON.stringify(key)}}`,
    ]);
    const secret = text.includes(key) ? key : key.replaceAll('\n', '\\n');
    cases.push({ kind: 'private_key', group, secret, text });
  };
  for (const label of PEM_LABELS)
    for (let count = 0; count < 12; count++) {
      const pgp = label.startsWith('PGP');
      const head = pgp ? chance.pick(['\n', 'Version: GnuPG v2\nComment: none\n\n']) : '';
      const tail = pgp ? `\n=${sample('[A-Za-z0-9+/]{4}', chance)}` : '==';
      const body = head + lines(4 + chance.below(40)) + tail;
      add(label, `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`);
    }
  for (let count = 0; count < 12; count++) {
    add('cut short', `-----BEGIN RSA PRIVATE KEY-----\n${lines(6)}`);
    add(
      'PuTTY',
      `PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: me\nPublic-Lines: 2\n${lines(2)}\nPrivate-Lines: 4\n${lines(4)}\nPrivate-MAC: ${sample(`${HEX}{64}`, chance)}`,
    );
  }
  return cases;
}
