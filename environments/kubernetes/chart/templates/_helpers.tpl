{{/* Labels of every object. Takes a list: root context, part. */}}
{{- define "gantry.labels" -}}
{{- $v := (index . 0).Values -}}
app.kubernetes.io/name: {{ $v.service }}
app.kubernetes.io/managed-by: {{ $v.managedBy | default (index . 0).Release.Service }}
app.kubernetes.io/part-of: {{ $v.project }}
gantry.dev/environment: {{ $v.environment }}
gantry.dev/part: {{ index . 1 }}
{{- end }}

{{/* Metadata of an object. Takes a list: root context, part, name. */}}
{{- define "gantry.metadata" -}}
name: {{ index . 2 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "gantry.labels" . | nindent 2 }}
{{- end }}

{{/* Labels of pods that are no instances: another name, so that no Service of the service finds them. */}}
{{- define "gantry.otherPodLabels" -}}
app.kubernetes.io/name: {{ index . 2 }}
app.kubernetes.io/part-of: {{ (index . 0).Values.project }}
gantry.dev/environment: {{ (index . 0).Values.environment }}
gantry.dev/part: {{ index . 1 }}
{{- end }}

{{- define "gantry.tracks" -}}
{{- if eq .Values.workload "deployment" }}yes{{ end -}}
{{- end }}

{{- define "gantry.image" -}}
{{ .repository }}@{{ .digest }}
{{- end }}

{{- define "gantry.otherTrack" -}}
{{ eq .Values.traffic.active "blue" | ternary "green" "blue" }}
{{- end }}

{{/* The Service behind which the active instances are, for routes. */}}
{{- define "gantry.activeService" -}}
{{- if and (include "gantry.tracks" .) (not .Values.traffic.byReplicas) -}}
{{ .Values.service }}-{{ .Values.traffic.active }}
{{- else -}}
{{ .Values.service }}
{{- end -}}
{{- end }}

{{/* Kind and name of what the autoscaler, or the clock, scales. */}}
{{- define "gantry.scaledKind" -}}
{{ eq .Values.workload "deployment" | ternary "Deployment" "StatefulSet" }}
{{- end }}
{{- define "gantry.scaledName" -}}
{{ .Values.service }}{{ if include "gantry.tracks" . }}-{{ .Values.traffic.active }}{{ end }}
{{- end }}

{{- define "gantry.configHash" -}}
{{ .Values.configHash | default (sha256sum .Values.config) }}
{{- end }}
{{- define "gantry.configName" -}}
{{ .Values.service }}-config-{{ include "gantry.configHash" . | trunc 16 }}
{{- end }}

{{- define "gantry.serviceAccount" -}}
{{ .Values.serviceAccount | default .Values.service }}
{{- end }}

{{/* Seconds of an integer that went through JSON: 1000000 must not become 1e+06. */}}
{{- define "gantry.int" -}}
{{ kindIs "string" . | ternary (. | toString | quote) (. | int64 | toString) }}
{{- end }}
