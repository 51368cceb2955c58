{{- define "exorun.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name; `exorun` is not said twice. */}}
{{- define "exorun.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name -}}
{{- end -}}
{{- end -}}

{{- define "exorun.labels" -}}
app.kubernetes.io/name: {{ include "exorun.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "exorun.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Of the Role for Leases. In a namespace that several releases share, each has its own. */}}
{{- define "exorun.leasesName" -}}
{{- if and .Values.leases.namespace (ne .Values.leases.namespace .Release.Namespace) -}}
{{- printf "%s.%s.leases" .Release.Namespace (include "exorun.fullname" .) -}}
{{- else -}}
{{- printf "%s.leases" (include "exorun.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* Not `-connections`: a job may have that name. */}}
{{- define "exorun.connectionsName" -}}
{{- printf "%s.connections" (include "exorun.fullname" .) -}}
{{- end -}}

{{/* Refuses what Kubernetes would refuse later, or what would make two jobs one. Takes (list $ name job). */}}
{{- define "exorun.cronJobName" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $full := printf "%s-%s" (include "exorun.fullname" $root) $name -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "jobs.%s: a job's name is a DNS label: small letters, digits and dashes" $name) -}}
{{- end -}}
{{- if gt (len $full) 52 -}}
{{- fail (printf "jobs.%s: the CronJob's name %s has %d characters, Kubernetes takes 52; shorten the release's or the job's name" $name $full (len $full)) -}}
{{- end -}}
{{- $full -}}
{{- end -}}
