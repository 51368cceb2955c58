{{/* Milliseconds of a duration as exorun writes it, `1h30m`. Takes (list where text). */}}
{{- define "exorun.milliseconds" -}}
{{- $text := toString (index . 1) -}}
{{- if not (regexMatch "^([0-9]+(ms|s|m|h|d))+$" $text) -}}
{{- fail (printf "%s: `%s` is no duration: write `30s`, `5m` or `1h30m`" (index . 0) $text) -}}
{{- end -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h|d)" $text -1 -}}
{{- $number := regexFind "^[0-9]+" . -}}
{{- $sum = add $sum (mul (atoi $number) (get $units (trimPrefix $number .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* The same in seconds, rounded up. */}}
{{- define "exorun.seconds" -}}
{{- div (add 999 (int64 (include "exorun.milliseconds" .))) 1000 -}}
{{- end -}}
