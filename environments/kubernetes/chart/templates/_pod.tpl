{{/* What every pod here is denied: Pod Security's "restricted". Takes a securityContext of the values. */}}
{{- define "gantry.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 .runAsUser }}
runAsGroup: {{ int64 .runAsGroup }}
fsGroup: {{ int64 .fsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "gantry.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Variables by name, each once: server-side apply knows an entry by its name. */}}
{{- define "gantry.env" -}}
{{- $v := .Values -}}
{{- $given := dict
  "GANTRY_ENVIRONMENT" $v.environment
  "GANTRY_CONFIG" "/config/application.yml"
  "SPRING_CONFIG_ADDITIONAL_LOCATION" "file:/config/" -}}
{{- with $v.commit }}{{ $_ := set $given "GANTRY_COMMIT" . }}{{ end -}}
{{- with $v.database -}}
{{- $_ := set $given "DB_HOST" (printf "%s-db" $v.service) -}}
{{- $_ := set $given "DB_PORT" "3306" -}}
{{- $_ := set $given "DB_NAME" .name -}}
{{- $_ := set $given "DB_USER" .user -}}
{{- end -}}
{{- range $v.calls -}}
{{- $_ := set $given (printf "%s_URL" (. | upper | replace "-" "_")) (printf "http://%s:80" .) -}}
{{- end -}}
{{- $env := mergeOverwrite (dict "PORT" (include "gantry.int" $v.port)) $v.env $given -}}
{{- $env = omit $env "INSTANCE_ID" -}}
{{- if $v.database }}{{ $env = omit $env "DB_PASSWORD" }}{{ end -}}
{{- range $name := keys $env | sortAlpha }}
- name: {{ $name }}
  value: {{ get $env $name | quote }}
{{- end }}
- name: INSTANCE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- with $v.database }}
- name: DB_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: password
{{- end }}
{{- end }}

{{/* What the service's image has in common wherever it runs: image, variables, files, limits. */}}
{{- define "gantry.container" -}}
image: {{ include "gantry.image" .Values.image }}
imagePullPolicy: IfNotPresent
env:
  {{- include "gantry.env" . | trim | nindent 2 }}
{{- with .Values.secrets }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "gantry.containerSecurity" . | nindent 2 }}
{{- end }}

{{- define "gantry.mounts" -}}
- name: config
  mountPath: /config
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "gantry.podVolumes" -}}
- name: config
  configMap:
    name: {{ include "gantry.configName" . }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSize }}
{{- end }}

{{- define "gantry.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Annotations by which the release of an instance is known. */}}
{{- define "gantry.releaseAnnotations" -}}
gantry.dev/config-hash: {{ include "gantry.configHash" . | quote }}
{{- with .Values.release }}
gantry.dev/release: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "gantry.selector" -}}
app.kubernetes.io/name: {{ .Values.service }}
{{- if include "gantry.tracks" . }}
gantry.dev/track: {{ .Values.track }}
{{- end }}
{{- end }}

{{/* The pod of an instance, for Deployment and StatefulSet. */}}
{{- define "gantry.instancePod" -}}
metadata:
  labels:
    {{- include "gantry.selector" . | nindent 4 }}
    app.kubernetes.io/part-of: {{ .Values.project }}
    gantry.dev/environment: {{ .Values.environment }}
    gantry.dev/part: instance
    {{- with .Values.releaseKey }}
    gantry.dev/release-key: {{ . | quote }}
    {{- end }}
  annotations:
    {{- include "gantry.releaseAnnotations" . | nindent 4 }}
    {{- with .Values.metrics }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ include "gantry.int" $.Values.port | quote }}
    prometheus.io/path: {{ . | quote }}
    {{- end }}
spec:
  serviceAccountName: {{ include "gantry.serviceAccount" . }}
  automountServiceAccountToken: false
  # Variables for every Service of the namespace would change with what else runs there.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add .Values.drainSeconds .Values.graceSeconds }}
  securityContext:
    {{- include "gantry.podSecurity" .Values.securityContext | nindent 4 }}
  {{- if .Values.topologySpread }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "gantry.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with include "gantry.placement" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: {{ .Values.service }}
      {{- include "gantry.container" . | nindent 6 }}
      ports:
        - name: http
          containerPort: {{ include "gantry.int" .Values.port }}
          protocol: TCP
      startupProbe:
        httpGet: { path: {{ .Values.readiness | quote }}, port: http }
        periodSeconds: 1
        timeoutSeconds: 2
        failureThreshold: {{ include "gantry.int" .Values.startupSeconds }}
      readinessProbe:
        httpGet: { path: {{ .Values.readiness | quote }}, port: http }
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      livenessProbe:
        {{- if .Values.liveness }}
        httpGet: { path: {{ .Values.liveness | quote }}, port: http }
        {{- else }}
        tcpSocket: { port: http }
        {{- end }}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      {{- if gt (int .Values.drainSeconds) 0 }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ include "gantry.int" .Values.drainSeconds }}
      {{- end }}
      volumeMounts:
        {{- include "gantry.mounts" . | nindent 8 }}
        {{- if not (include "gantry.tracks" .) }}
        {{- range .Values.volumes }}
        - name: {{ .name }}
          mountPath: {{ .mountPath }}
        {{- end }}
        {{- end }}
  volumes:
    {{- include "gantry.podVolumes" . | nindent 4 }}
{{- end }}
