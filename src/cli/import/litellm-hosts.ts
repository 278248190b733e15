import type { Vendor } from './litellm-vendors.ts';

/**
 * Vendors without a type of their own, whose API is OpenAI's: LiteLLM's name, the URL, and the variable of the key.
 * @see https://github.com/BerriAI/litellm/blob/main/litellm/litellm_core_utils/get_llm_provider_logic.py
 * @see https://github.com/BerriAI/litellm/blob/main/litellm/llms/openai_like/providers.json
 */
const HOSTS = `
abliteration https://api.abliteration.ai/v1 ABLITERATION_API_KEY
ai21 https://api.ai21.com/studio/v1 AI21_API_KEY
ai21_chat https://api.ai21.com/studio/v1 AI21_API_KEY
aihubmix https://aihubmix.com/v1 AIHUBMIX_API_KEY
aiml https://api.aimlapi.com/v1 AIML_API_KEY
anyscale https://api.endpoints.anyscale.com/v1 ANYSCALE_API_KEY
apertis https://api.stima.tech/v1 STIMA_API_KEY
assemblyai https://llm-gateway.assemblyai.com/v1 ASSEMBLYAI_API_KEY
baseten https://inference.baseten.co/v1 BASETEN_API_KEY
chutes https://llm.chutes.ai/v1 CHUTES_API_KEY
clarifai https://api.clarifai.com/v2/ext/openai/v1 CLARIFAI_API_KEY
cometapi https://api.cometapi.com/v1 COMETAPI_KEY
compactifai https://api.compactif.ai/v1 COMPACTIFAI_API_KEY
cortecs https://api.cortecs.ai/v1 CORTECS_API_KEY
crusoe https://api.inference.crusoecloud.com/v1 CRUSOE_API_KEY
dashscope https://dashscope-intl.aliyuncs.com/compatible-mode/v1 DASHSCOPE_API_KEY
deepinfra https://api.deepinfra.com/v1/openai DEEPINFRA_API_KEY
edenai https://api.edenai.run/v3 EDENAI_API_KEY
empower https://app.empower.dev/api/v1 EMPOWER_API_KEY
featherless_ai https://api.featherless.ai/v1 FEATHERLESS_AI_API_KEY
friendliai https://api.friendli.ai/serverless/v1 FRIENDLI_TOKEN
galadriel https://api.galadriel.com/v1 GALADRIEL_API_KEY
github https://models.inference.ai.azure.com GITHUB_API_KEY
gmi https://api.gmi-serving.com/v1 GMI_API_KEY
helicone https://ai-gateway.helicone.ai HELICONE_API_KEY
hyperbolic https://api.hyperbolic.xyz/v1 HYPERBOLIC_API_KEY
inception https://api.inceptionlabs.ai/v1 INCEPTION_API_KEY
jina_ai https://api.jina.ai/v1 JINA_AI_API_KEY
lambda_ai https://api.lambda.ai/v1 LAMBDA_API_KEY
llamagate https://api.llamagate.dev/v1 LLAMAGATE_API_KEY
meta https://api.meta.ai/v1 META_API_KEY
meta_llama https://api.llama.com/compat/v1 LLAMA_API_KEY
minimax https://api.minimax.io/v1 MINIMAX_API_KEY
modelscope https://api-inference.modelscope.cn/v1 MODELSCOPE_API_KEY
morph https://api.morphllm.com/v1 MORPH_API_KEY
nano-gpt https://nano-gpt.com/api/v1 NANOGPT_API_KEY
nebius https://api.studio.nebius.ai/v1 NEBIUS_API_KEY
novita https://api.novita.ai/v3/openai NOVITA_API_KEY
nscale https://inference.api.nscale.com/v1 NSCALE_API_KEY
nvidia_nim https://integrate.api.nvidia.com/v1 NVIDIA_NIM_API_KEY
ovhcloud https://oai.endpoints.kepler.ai.cloud.ovh.net/v1 OVHCLOUD_API_KEY
parasail https://api.parasail.io/v1 PARASAIL_API_KEY
poe https://api.poe.com/v1 POE_API_KEY
publicai https://api.publicai.co/v1 PUBLICAI_API_KEY
reka https://api.reka.ai/v1 REKA_API_KEY
sambanova https://api.sambanova.ai/v1 SAMBANOVA_API_KEY
sarvam https://api.sarvam.ai/v1 SARVAM_API_KEY
scaleway https://api.scaleway.ai/v1 SCW_SECRET_KEY
synthetic https://api.synthetic.new/openai/v1 SYNTHETIC_API_KEY
tencent https://tokenhub-intl.tencentcloudmaas.com/v1 TENCENT_API_KEY
v0 https://api.v0.dev/v1 V0_API_KEY
veniceai https://api.venice.ai/api/v1 VENICE_AI_API_KEY
vercel_ai_gateway https://ai-gateway.vercel.sh/v1 VERCEL_AI_GATEWAY_API_KEY
volcengine https://ark.cn-beijing.volces.com/api/v3 VOLCENGINE_API_KEY
voyage https://api.voyageai.com/v1 VOYAGE_API_KEY
wandb https://api.inference.wandb.ai/v1 WANDB_API_KEY
xiaomi_mimo https://api.xiaomimimo.com/v1 XIAOMI_MIMO_API_KEY
`;

export const COMPATIBLE_VENDORS: Readonly<Record<string, Vendor>> = Object.fromEntries(
  HOSTS.trim()
    .split('\n')
    .map((line) => {
      const [name, baseUrl, keyEnv] = line.split(' ');
      return [name!, { type: 'openai-compatible', baseUrl: baseUrl!, keyEnv: keyEnv! }];
    }),
);
