{{/* Name of all objects: the release, so that several can share a namespace. */}}
{{- define "embedmill.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Labels of every object. */}}
{{- define "embedmill.labels" -}}
app.kubernetes.io/part-of: {{ include "embedmill.name" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* Labels by which the pods of a role are selected; takes a list of the root and the role. */}}
{{- define "embedmill.selector" -}}
app.kubernetes.io/name: {{ include "embedmill.name" (first .) }}-{{ last . }}
{{- end }}

{{/* Image of a role; takes a list of the root and the role. */}}
{{- define "embedmill.image" -}}
{{- with first . -}}
{{ .Values.image.repository }}/embedmill-{{ last $ }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What the pods of both roles have in common. */}}
{{- define "embedmill.pod" -}}
automountServiceAccountToken: false
# Longer than EMBEDMILL_SHUTDOWN_MS, so that work in progress is finished.
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What the containers of both roles have in common. */}}
{{- define "embedmill.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
envFrom:
  - configMapRef: { name: {{ include "embedmill.name" . }} }
  - secretRef: { name: {{ .Values.secret }} }
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}
