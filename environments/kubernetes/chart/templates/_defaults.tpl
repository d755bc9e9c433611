{{/* Generated from environments/kubernetes/values.ts; do not edit. Renewed by: npx vitest run -u --project unit test/unit/environments/kubernetes */}}

{{- define "gantry.defaults.database" -}}
{"kind":"mariadb","storage":"10Gi","resources":{"requests":{"cpu":"250m","memory":"512Mi"},"limits":{"cpu":"1","memory":"1Gi"}},"securityContext":{"runAsUser":999,"runAsGroup":999,"fsGroup":999}}
{{- end }}

{{- define "gantry.defaults.autoscaling" -}}
{"min":2,"max":10,"scaleDownSeconds":300}
{{- end }}

{{- define "gantry.defaults.requestsPerSecond" -}}
{"metric":"http_requests_per_second"}
{{- end }}

{{- define "gantry.defaults.migration" -}}
{"key":"","timeoutSeconds":900,"prepareSeconds":300}
{{- end }}
