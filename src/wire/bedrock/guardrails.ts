/**
 * What guardrails are charged by. Bedrock reports it only in a trace, which a request asks for.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailUsage.html
 */
import type { Units } from '../units.ts';
import { isObject, listOf, objectOf } from '../json.ts';
import { searchCount, sumOf, unitsOf } from '../units.ts';

/** More guardrails than apply to one request. */
const MOST_ASSESSMENTS = 100;

/** The units of all guardrails. @param trace of an answer, or of the last event of a stream */
export function guardrailUnits(trace: unknown): Units {
  const { guardrail } = objectOf(trace);
  if (!isObject(guardrail)) return {};
  const { inputAssessment, outputAssessments } = guardrail;
  const assessments = [
    ...Object.values(objectOf(inputAssessment)),
    ...Object.values(objectOf(outputAssessments)).flatMap(listOf),
  ];
  const usages = assessments
    .slice(0, MOST_ASSESSMENTS)
    .map((assessment) => objectOf(objectOf(objectOf(assessment).invocationMetrics).usage));
  const total = (...names: readonly string[]) =>
    sumOf(...usages.flatMap((usage) => names.map((name) => searchCount(usage[name]) ?? 0)));
  return unitsOf({
    guardrailFilters: total('contentPolicyUnits', 'topicPolicyUnits'),
    guardrailChecks: total('sensitiveInformationPolicyUnits', 'contextualGroundingPolicyUnits'),
    guardrailImages: total('contentPolicyImageUnits'),
    guardrailReasoning: total('automatedReasoningPolicyUnits'),
  });
}
