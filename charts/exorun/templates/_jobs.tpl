{{/*
Reads every job file that can be read here: `jobs` of the values, and the files that `jobFiles` matches. Gives JSON:
  jobs:  [{where, name, file, bin, args, spec}], one for each job, in the order of their names
  files: [{file, bin, text}]
`bin` is the number of the ConfigMap that holds the file; a ConfigMap holds 1 MiB at most, keys included.
*/}}
{{- define "exorun.jobs" -}}
{{- $limit := 1000000 -}}
{{- $sources := list -}}
{{- range $name, $job := .Values.jobs -}}
{{- include "exorun.jobName" (list (printf "jobs.%s" $name) $name) -}}
{{- $text := required (printf "jobs.%s.spec is missing: the job's YAML document" $name) $job.spec -}}
{{- $sources = append $sources (dict "where" (printf "jobs.%s.spec" $name) "file" (printf "%s.yaml" $name) "text" $text "only" $name "args" ($job.args | default list)) -}}
{{- end -}}
{{- with .Values.jobFiles -}}
{{- range $path, $_ := $.Files.Glob . -}}
{{- $sources = append $sources (dict "where" $path "file" (base $path) "text" ($.Files.Get $path) "only" "" "args" list) -}}
{{- end -}}
{{- if not ($.Files.Glob .) -}}
{{- fail (printf "jobFiles: `%s` matches no file of the chart's folder. Helm reads no others: lay the job files there, or give each with --set-file jobs.NAME.spec=FILE" .) -}}
{{- end -}}
{{- end -}}
{{- $jobs := dict -}}{{- $files := dict -}}{{- $bin := 0 -}}{{- $size := 0 -}}
{{- range $source := $sources -}}
{{- if not (regexMatch "^[-._a-zA-Z0-9]+$" $source.file) -}}
{{- fail (printf "%s: a ConfigMap's key has letters, digits, `-`, `_` and `.` only: rename the file" $source.where) -}}
{{- end -}}
{{- if hasKey $files $source.file -}}
{{- fail (printf "%s: there are two files of the name %s: rename one" $source.where $source.file) -}}
{{- end -}}
{{- $length := add (len $source.file) (len $source.text) -}}
{{- if gt (int $length) $limit -}}
{{- fail (printf "%s has %d bytes, a ConfigMap takes %d: split it, or use mode scheduler with gitSync" $source.where $length $limit) -}}
{{- end -}}
{{- if gt (int (add $size $length)) $limit -}}
{{- $bin = add1 $bin -}}{{- $size = 0 -}}
{{- end -}}
{{- $size = add $size $length -}}
{{- $_ := set $files $source.file (dict "file" $source.file "bin" $bin "text" $source.text) -}}
{{- range $document := regexSplit "(?m)^---([ \\t].*)?$" $source.text -1 -}}
{{- if regexMatch "(?m)^[^#\\s]" $document -}}
{{- $spec := fromYaml $document -}}
{{- $where := $source.where -}}
{{- if $spec.Error -}}
{{- fail (printf "%s is no YAML map: %s" $where $spec.Error) -}}
{{- end -}}
{{- $name := toString ($spec.name | default "") -}}
{{- if and $source.only (ne $name $source.only) -}}
{{- fail (printf "%s: name is `%s`: the key below `jobs` and the job's `name` are the same, and each entry holds one job" $where $name) -}}
{{- end -}}
{{- if not $source.only -}}{{- $where = printf "%s: job %s" $source.where $name -}}{{- end -}}
{{- if eq (toString $spec.kind) "Connections" -}}
{{- fail (printf "%s is a file of connections: give it as `connections`" $source.where) -}}
{{- end -}}
{{- include "exorun.jobName" (list $where $name) -}}
{{- if hasKey $jobs $name -}}
{{- fail (printf "%s: there are two jobs of the name %s" $where $name) -}}
{{- end -}}
{{- include "exorun.jobPermitted" (list $ $where $spec) -}}
{{- $_ := set $jobs $name (dict "where" $where "name" $name "file" $source.file "bin" $bin "args" $source.args "spec" (pick $spec "tenant" "connection" "delegated_organization" "schedules" "run_policy")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $list := list -}}
{{- range $name := keys $jobs | sortAlpha -}}{{- $list = append $list (get $jobs $name) -}}{{- end -}}
{{- dict "jobs" $list "files" (values $files) "bins" (ternary (add1 $bin) 0 (gt (len $files) 0)) | toJson -}}
{{- end -}}

{{/* Takes (list where name). */}}
{{- define "exorun.jobName" -}}
{{- $name := index . 1 -}}
{{- if or (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $name)) (gt (len $name) 63) -}}
{{- fail (printf "%s: a job's name is a DNS label: at most 63 small letters, digits and dashes; `%s` is none" (index . 0) $name) -}}
{{- end -}}
{{- end -}}

{{/* What the pods would refuse at each run, said once, before anything is installed. Takes (list $ where spec). */}}
{{- define "exorun.jobPermitted" -}}
{{- $root := index . 0 -}}{{- $where := index . 1 -}}{{- $spec := index . 2 -}}
{{- include "exorun.noSecret" (list $where $spec.auth) -}}
{{- if $root.Values.settings.require_connections -}}
{{- if not $spec.connection -}}
{{- fail (printf "%s: connection is missing: settings.require_connections is on, so a job names one of `connections`" $where) -}}
{{- end -}}
{{- if and (not $root.Values.connections) (not $root.Values.connectionsConfigMap.name) -}}
{{- fail (printf "%s: connection `%s` is not known: give the file of connections as `connections` or `connectionsConfigMap`" $where $spec.connection) -}}
{{- end -}}
{{- end -}}
{{- if and $spec.connection $root.Values.connections -}}
{{- $all := fromYaml $root.Values.connections -}}
{{- if not (hasKey ($all.connections | default dict) $spec.connection) -}}
{{- fail (printf "%s: connection `%s` is not in `connections`" $where $spec.connection) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A secret is never written into a file; its text is not repeated here. Takes (list where auth). */}}
{{- define "exorun.noSecret" -}}
{{- $where := index . 0 -}}
{{- $auth := index . 1 | default dict -}}
{{- range $key := list "client_secret" "password" "private_key" "pfx" "pfx_password" "access_token" "refresh_token" "token" "secret" -}}
{{- if hasKey $auth $key -}}
{{- fail (printf "%s: auth.%s: a secret is never written into a file. Put it into a Secret, name that in credentials.existingSecrets, and write `credential: {file: /etc/exorun/credentials/SECRET/KEY}`; or `credential: {vault: {path: …}}`" $where $key) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "credential" "certificate_password" -}}
{{- if kindIs "string" (get $auth $key) -}}
{{- if get $auth $key -}}
{{- fail (printf "%s: auth.%s says where the secret is, and is not the secret itself: `{file: /etc/exorun/credentials/SECRET/KEY}` or `{vault: {path: …}}`" $where $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The tenant that the metrics of a job name; empty where it cannot be read here. Takes (list $ spec). */}}
{{- define "exorun.target" -}}
{{- $spec := index . 1 -}}
{{- $connections := (fromYaml ((index . 0).Values.connections | default "{}")).connections | default dict -}}
{{- $connection := get $connections ($spec.connection | default "") | default dict -}}
{{- $spec.delegated_organization | default $spec.tenant | default $connection.tenant | default "" -}}
{{- end -}}
