{{- define "llmproxy.name" -}}
{{- if contains "llmproxy" .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-llmproxy" .Release.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "llmproxy.selector" -}}
app.kubernetes.io/name: llmproxy
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "llmproxy.labels" -}}
{{ include "llmproxy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
