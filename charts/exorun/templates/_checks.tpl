{{/* What belongs to one mode and was given in the other. */}}
{{- define "exorun.checks" -}}
{{- if eq .Values.mode "cronjobs" -}}
{{- $mend := "is read inside the pod only, and the schedules of CronJobs must be known now: use mode scheduler, or give the jobs by `jobs` or `jobFiles`" -}}
{{- if .Values.existingConfigMap -}}{{- fail (printf "existingConfigMap %s" $mend) -}}{{- end -}}
{{- if .Values.jobsVolume.source -}}{{- fail (printf "jobsVolume %s" $mend) -}}{{- end -}}
{{- if .Values.gitSync.enabled -}}{{- fail (printf "gitSync %s" $mend) -}}{{- end -}}
{{- if or .Values.sidecars .Values.initContainers -}}
{{- fail "sidecars and initContainers are for mode scheduler: a sidecar would keep the pod of a CronJob from ending" -}}
{{- end -}}
{{- else -}}
{{- range $name, $job := .Values.jobs -}}
{{- if $job.args -}}{{- fail (printf "jobs.%s.args: `exorun serve` runs every job alike: use mode cronjobs, or write it in the job" $name) -}}{{- end -}}
{{- end -}}
{{- if .Values.args -}}{{- fail "args are arguments of `exorun run`: use mode cronjobs, or write it in the jobs" -}}{{- end -}}
{{- end -}}
{{- if .Values.connections -}}
{{- $connections := fromYaml .Values.connections -}}
{{- if $connections.Error -}}{{- fail (printf "connections is no YAML map: %s" $connections.Error) -}}{{- end -}}
{{- range $name, $connection := $connections.connections -}}
{{- include "exorun.noSecret" (list (printf "connections: %s" $name) $connection.auth) -}}
{{- end -}}
{{- end -}}
{{- end -}}
