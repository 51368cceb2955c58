{{/*
One schedule of a job as fields of a CronJob, or the refusal of what a CronJob cannot keep. A refusal names the key.
Takes (list $ job index).
*/}}
{{- define "exorun.cronJobFields" -}}
{{- $root := index . 0 -}}{{- $job := index . 1 -}}
{{- $schedule := index $job.spec.schedules (int (index . 2)) -}}
{{- $policy := $job.spec.run_policy | default dict -}}
{{- $where := printf "%s: schedules[%d]" $job.where (int (index . 2)) -}}
{{- if hasKey $schedule "every" -}}
{{- fail (printf "%s.every: a CronJob knows no periods: write `cron`, or use mode scheduler" $where) -}}
{{- end -}}
{{- if hasKey $schedule "jitter" -}}
{{- fail (printf "%s.jitter: a CronJob knows no delay: give the job a minute of its own, or use mode scheduler" $where) -}}
{{- end -}}
{{- $cron := required (printf "%s.cron is missing" $where) $schedule.cron -}}
{{- include "exorun.cron" (list (printf "%s.cron" $where) $cron) -}}
{{- include "exorun.clockChanges" (list $root $where $schedule) -}}
schedule: {{ $cron | quote }}
timeZone: {{ $schedule.time_zone | quote }}
{{ include "exorun.runPolicy" (list $job.where $policy) }}
{{- end -}}

{{/* Takes (list where run_policy). */}}
{{- define "exorun.runPolicy" -}}
{{- $where := printf "%s: run_policy" (index . 0) -}}{{- $policy := index . 1 -}}
{{- if hasKey $policy "blackout" -}}
{{- fail (printf "%s.blackout: a CronJob knows no windows in which nothing starts: use mode scheduler" $where) -}}
{{- end -}}
{{- $overlap := $policy.overlap | default "forbid" -}}
{{- if eq $overlap "queue" -}}
{{- fail (printf "%s.overlap: a CronJob does not queue: write forbid, replace or allow, or use mode scheduler" $where) -}}
{{- end -}}
{{- if not (has $overlap (list "forbid" "replace" "allow")) -}}
{{- fail (printf "%s.overlap: `%s` is none of forbid, replace, allow" $where $overlap) -}}
{{- end -}}
{{- $missed := $policy.missed | default "latest" -}}
{{- if eq $missed "all" -}}
{{- fail (printf "%s.missed: of missed times a CronJob runs the last one only: write latest or skip, or use mode scheduler" $where) -}}
{{- end -}}
concurrencyPolicy: {{ title $overlap }}
suspend: {{ $policy.suspend | default false }}
{{- $deadline := "" -}}
{{- with $policy.starting_deadline -}}
{{- $milliseconds := int64 (include "exorun.milliseconds" (list (printf "%s.starting_deadline" $where) .)) -}}
{{- if or (lt $milliseconds 10000) (ne (mod $milliseconds 1000) 0) -}}
{{- fail (printf "%s.starting_deadline: a CronJob looks every 10 s and counts in seconds: write whole seconds from 10s on, or use mode scheduler" $where) -}}
{{- end -}}
{{- $deadline = div $milliseconds 1000 -}}
{{- end -}}
{{/* What is seen more than a minute late has been missed. */}}
{{- if eq $missed "skip" -}}
{{- $deadline = min ($deadline | default 60) 60 -}}
{{- end -}}
{{- with $deadline }}
startingDeadlineSeconds: {{ . }}
{{- end -}}
{{- end -}}
