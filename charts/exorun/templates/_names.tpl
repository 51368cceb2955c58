{{- define "exorun.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name; `exorun` is not said twice. */}}
{{- define "exorun.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name -}}
{{- end -}}
{{- end -}}

{{- define "exorun.selectorLabels" -}}
app.kubernetes.io/name: {{ include "exorun.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "exorun.labels" -}}
{{ include "exorun.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels of pods: what changes with each version of the chart would make new pods for nothing. Takes (dict "root" "component" "job"). */}}
{{- define "exorun.podLabels" -}}
{{ include "exorun.selectorLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- with .job }}
exorun/job: {{ . }}
{{- end }}
{{- if .root.Values.workloadIdentity.enabled }}
azure.workload.identity/use: "true"
{{- end }}
{{- with .root.Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "exorun.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{- define "exorun.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "exorun.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name is missing: the chart makes none, because of serviceAccount.create" .Values.serviceAccount.name -}}
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

{{/* With a dot, because a job may have the name `connections`. */}}
{{- define "exorun.connectionsName" -}}
{{- .Values.connectionsConfigMap.name | default (printf "%s.connections" (include "exorun.fullname" .)) -}}
{{- end -}}

{{/* The ConfigMap of job files with this number. Takes (list $ number). */}}
{{- define "exorun.jobsName" -}}
{{- printf "%s.jobs-%d" (include "exorun.fullname" (index . 0)) (int (index . 1)) -}}
{{- end -}}

{{/* Refuses a name that Kubernetes would refuse later. Takes (list $ where name limit). */}}
{{- define "exorun.objectName" -}}
{{- $full := printf "%s-%s" (include "exorun.fullname" (index . 0)) (index . 2) -}}
{{- $limit := int (index . 3) -}}
{{- if gt (len $full) $limit -}}
{{- fail (printf "%s: the object's name %s has %d characters, Kubernetes takes %d; shorten the release's or the job's name, or set fullnameOverride" (index . 1) $full (len $full) $limit) -}}
{{- end -}}
{{- $full -}}
{{- end -}}
