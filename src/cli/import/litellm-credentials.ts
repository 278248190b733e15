import { isObject, listOf, stringOf } from '../../wire/json.ts';

/**
 * The configuration with the values of `credential_list` in the deployments that refer to them. What is left of the list
 * is what has not been used.
 * @see https://docs.litellm.ai/docs/proxy/ui_credentials
 */
export function withCredentials(config: unknown): unknown {
  if (!isObject(config) || !Array.isArray(config.credential_list)) return config;
  const used = new Set<string>();
  const model_list = listOf(config.model_list).map((entry) => {
    if (!isObject(entry) || !isObject(entry.litellm_params)) return entry;
    const { litellm_credential_name: name, ...own } = entry.litellm_params;
    const values = valuesOf(config.credential_list, name);
    if (!values) return entry;
    used.add(name as string);
    return { ...entry, litellm_params: { ...values, ...own } };
  });
  const credential_list = listOf(config.credential_list).map((credential) => {
    if (!isObject(credential) || !used.has(stringOf(credential.credential_name) ?? '')) return credential;
    const { credential_name: _name, credential_values: _values, ...rest } = credential;
    return rest;
  });
  return { ...config, model_list, credential_list };
}

function valuesOf(credentials: unknown, name: unknown): Record<string, unknown> | undefined {
  const found = listOf(credentials).find((each) => isObject(each) && each.credential_name === name);
  return isObject(found) && isObject(found.credential_values) ? found.credential_values : undefined;
}
