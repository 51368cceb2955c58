{{/* Where a scheduler's jobs come from. Gives JSON: [{path, mount, volume}], of which `volume` is text. */}}
{{- define "exorun.sources" -}}
{{- $sources := list -}}
{{- $bins := int (include "exorun.jobs" . | fromJson).bins -}}
{{- if $bins -}}
{{- $volume := "projected:\n  sources:" -}}
{{- range $bin := until $bins -}}
{{- $volume = printf "%s\n    - configMap:\n        name: %s" $volume (include "exorun.jobsName" (list $ $bin)) -}}
{{- end -}}
{{- $sources = append $sources (dict "name" "jobs" "mount" "/etc/exorun/jobs" "path" "/etc/exorun/jobs" "volume" $volume) -}}
{{- end -}}
{{- with .Values.existingConfigMap -}}
{{- $sources = append $sources (dict "name" "existing-jobs" "mount" "/etc/exorun/existing-jobs" "path" "/etc/exorun/existing-jobs" "volume" (printf "configMap:\n  name: %s" .)) -}}
{{- end -}}
{{- if .Values.jobsVolume.source -}}
{{- $sources = append $sources (dict "name" "jobs-volume" "mount" "/etc/exorun/jobs-volume" "path" (clean (printf "/etc/exorun/jobs-volume/%s" .Values.jobsVolume.path)) "volume" (toYaml .Values.jobsVolume.source)) -}}
{{- end -}}
{{- if .Values.gitSync.enabled -}}
{{- $sources = append $sources (dict "name" "git" "mount" "/etc/exorun/git" "path" (clean (printf "/etc/exorun/git/current/%s" .Values.gitSync.path)) "volume" (printf "emptyDir:\n  sizeLimit: %s" .Values.gitSync.sizeLimit)) -}}
{{- end -}}
{{- toJson $sources -}}
{{- end -}}

{{/* A container that brings Git's files: once before the start, then again and again. Takes (list $ "once"|"always"). */}}
{{- define "exorun.gitSync" -}}
{{- $root := index . 0 -}}{{- $once := eq (index . 1) "once" -}}
{{- with $root.Values.gitSync -}}
{{- if .enabled -}}
- name: git-sync{{ if $once }}-once{{ end }}
  image: {{ include "exorun.image" .image | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args:
    - --repo={{ required "gitSync.repo is missing: the repository of the jobs" .repo }}
    - --ref={{ .ref }}
    - --root=/git
    - --link=current
    - {{ if $once }}--one-time{{ else }}--period={{ .period }}{{ end }}
    {{- with .args }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "exorun.containerSecurity" $root | nindent 2 }}
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: git
      mountPath: /git
    - name: git-scratch
      mountPath: /tmp
    {{- if .existingSecret }}
    - name: git-secret
      mountPath: /etc/git-secret
      readOnly: true
    {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
