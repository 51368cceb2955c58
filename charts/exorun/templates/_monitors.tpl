{{/* How the scheduler is scraped. `job` and `target` are labels of exorun's own, which the scraper must not replace. Takes (list $ monitor port-key). */}}
{{- define "exorun.endpoint" -}}
{{- $root := index . 0 -}}{{- $monitor := index . 1 -}}
- port: metrics
  path: /metrics
  honorLabels: true
  interval: {{ $monitor.interval }}
  scheme: {{ include "exorun.scheme" $root | lower }}
  {{- with $root.Values.admin.tokenSecret }}
  {{- if .name }}
  authorization:
    credentials:
      name: {{ .name }}
      key: {{ .key }}
  {{- end }}
  {{- end }}
  {{- with $monitor.tlsConfig }}
  tlsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "exorun.monitorMetadata" -}}
{{- $root := index . 0 -}}
name: {{ include "exorun.fullname" $root }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "exorun.labels" $root | nindent 2 }}
  {{- with (index . 1).labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
