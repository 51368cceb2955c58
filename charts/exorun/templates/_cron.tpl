{{/* Refuses expressions that Kubernetes does not know, or reads differently. Takes (list where expression). */}}
{{- define "exorun.cron" -}}
{{- $where := index . 0 -}}{{- $cron := index . 1 -}}
{{- if hasPrefix "@" $cron -}}
{{- if not (has $cron (list "@yearly" "@annually" "@monthly" "@weekly" "@daily" "@midnight" "@hourly")) -}}
{{- fail (printf "%s: a CronJob does not know `%s`: write the five fields" $where $cron) -}}
{{- end -}}
{{- else -}}
{{- $fields := regexSplit "[ \\t]+" (trim $cron) -1 -}}
{{- if ne (len $fields) 5 -}}
{{- fail (printf "%s: `%s` has not five fields" $where $cron) -}}
{{- end -}}
{{- $day := upper (index $fields 2) -}}{{- $weekday := upper (index $fields 4) -}}
{{- if regexMatch "[LW]" $day -}}
{{- fail (printf "%s: a CronJob knows no %s: write days by number, or use mode scheduler" $where (regexFind "[LW]" $day)) -}}
{{- end -}}
{{- if contains "#" $weekday -}}
{{- fail (printf "%s: a CronJob knows no # (`%s`): use mode scheduler" $where $weekday) -}}
{{- end -}}
{{- if regexMatch "(^|,)([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)?L(,|$)" $weekday -}}
{{- fail (printf "%s: a CronJob knows no L (`%s`): use mode scheduler" $where $weekday) -}}
{{- end -}}
{{- if regexMatch "7|[A-Z1-6]-SUN" (regexReplaceAll "/[0-9]+" $weekday "") -}}
{{- fail (printf "%s: in a CronJob Sunday is 0 and begins the week: write `0` for `7`, and `5,6,0` for `5-7` or `FRI-SUN`" $where) -}}
{{- end -}}
{{- range $one := list (list $day $weekday) (list $weekday $day) -}}
{{- $field := index $one 0 -}}
{{- if and (contains "*" $field) (not (has $field (list "*" "*/1"))) (not (has (index $one 1) (list "*" "*/1"))) -}}
{{- fail (printf "%s: with both days given, a CronJob takes `%s` for a list of days and exorun for every day: list the days, or use mode scheduler" $where $field) -}}
{{- end -}}
{{- if and (contains "," $field) (contains "*" $field) -}}
{{- fail (printf "%s: write `*` alone, not in a list (`%s`)" $where $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
When clocks change, a CronJob skips the times of the gap and runs those of the overlap twice. That is `dst: {gap: skip, overlap: both}`;
anything else is kept only where no time of the schedule is among those that are skipped or repeated. files/zones.txt has the hours at
which the clocks of a zone change. A schedule whose hour has `*` or a step follows elapsed time in both. Takes (list $ where schedule).
*/}}
{{- define "exorun.clockChanges" -}}
{{- $where := index . 1 -}}{{- $schedule := index . 2 -}}
{{- $zone := required (printf "%s.time_zone is missing" $where) $schedule.time_zone -}}
{{- $line := regexFind (printf "(?m)^%s( [0-9 ]+)?$" (regexQuoteMeta $zone)) ((index . 0).Files.Get "files/zones.txt") -}}
{{- if not $line -}}
{{- fail (printf "%s.time_zone: `%s` is no zone that Kubernetes knows: write the IANA name as it is spelled, `Europe/Berlin`" $where $zone) -}}
{{- end -}}
{{- $dst := $schedule.dst | default dict -}}
{{- $hours := "" -}}
{{- if not (hasPrefix "@" $schedule.cron) -}}
{{- $hours = index (regexSplit "[ \\t]+" (trim $schedule.cron) -1) 1 -}}
{{- else if ne $schedule.cron "@hourly" -}}
{{- $hours = "0" -}}
{{- end -}}
{{- if and $hours (not (regexMatch "[*/]" $hours)) (not (and (eq (toString $dst.gap) "skip") (eq (toString $dst.overlap) "both"))) -}}
{{- $changes := rest (splitList " " $line) -}}
{{- range $part := splitList "," $hours -}}
{{- $ends := splitList "-" $part -}}
{{- range $hour := untilStep (atoi (first $ends)) (int (add1 (atoi (last $ends)))) 1 -}}
{{- if has (toString $hour) $changes -}}
{{- fail (printf "%s.dst: the clocks of %s change in hour %d. A CronJob skips the times of the gap and runs those of the overlap twice: say `dst: {gap: skip, overlap: both}` if that is right, take another hour or a zone such as UTC, or use mode scheduler" $where $zone $hour) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* How often a job is due at least, by the most frequent of its schedules: `daily`, `weekly`, `monthly` or `yearly`. Takes their list. */}}
{{- define "exorun.due" -}}
{{- $words := list "daily" "weekly" "monthly" "yearly" -}}
{{- $least := 3 -}}
{{- range . -}}
{{- $rank := get (dict "@yearly" 3 "@annually" 3 "@monthly" 2 "@weekly" 1) .cron | default 0 -}}
{{- if not (hasPrefix "@" .cron) -}}
{{- $fields := regexSplit "[ \\t]+" (trim .cron) -1 -}}
{{- if ne (index $fields 3) "*" -}}
{{- $rank = 3 -}}
{{- else if ne (index $fields 4) "*" -}}
{{- $rank = 1 -}}
{{- else if ne (index $fields 2) "*" -}}
{{- $rank = 2 -}}
{{- end -}}
{{- end -}}
{{- $least = min $least $rank -}}
{{- end -}}
{{- index $words (int $least) -}}
{{- end -}}
