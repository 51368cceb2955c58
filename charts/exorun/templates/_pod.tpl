{{/*
A pod's specification, which keeps to the restricted profile of pod security. Takes a dict:
  root           $
  args           arguments of exorun
  restartPolicy
  container      further keys of its container, as text
  mounts         and volumes for them, as text: where its jobs come from
  volumes
  initContainers and further containers, as text
  sidecars
*/}}
{{- define "exorun.pod" -}}
restartPolicy: {{ .restartPolicy }}
serviceAccountName: {{ include "exorun.serviceAccountName" .root }}
# For the Leases by which pods share an account's sessions.
automountServiceAccountToken: true
# A Service named exorun would else put EXORUN_* variables into the pods.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "exorun.grace" .root }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .initContainers }}
initContainers:
  {{- trim . | nindent 2 }}
{{- end }}
containers:
  - name: exorun
    image: {{ include "exorun.image" (merge (dict) .root.Values.image (dict "tag" .root.Chart.AppVersion)) | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      {{- include "exorun.env" .root | trim | nindent 6 }}
    {{- with .container }}
    {{- trim . | nindent 4 }}
    {{- end }}
    {{- include "exorun.containerSecurity" .root | nindent 4 }}
    {{- with .root.Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      {{- trim .mounts | nindent 6 }}
      {{- include "exorun.mounts" .root | trim | nindent 6 }}
  {{- with .sidecars }}
  {{- trim . | nindent 2 }}
  {{- end }}
volumes:
  {{- trim .volumes | nindent 2 }}
  {{- include "exorun.volumes" .root | trim | nindent 2 }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $.root.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "exorun.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
{{- end -}}

{{/* The specification of a Job that runs one job once. Takes (dict "root" "job" "args"). */}}
{{- define "exorun.job" -}}
# exorun repeats what may be repeated by itself; a failed run is not started over.
backoffLimit: 0
podFailurePolicy:
  rules:
    # bad_input, signin_refused, refused_by_policy: the same would come of it again.
    - action: FailJob
      onExitCodes:
        containerName: exorun
        operator: In
        values: [64, 77, 78]
    # interrupted: a drained node, say. Sessions were closed; another pod runs it.
    - action: Ignore
      onExitCodes:
        containerName: exorun
        operator: In
        values: [75]
{{- with .root.Values.cronjobs.activeDeadlineSeconds }}
activeDeadlineSeconds: {{ int64 . }}
{{- end }}
{{- with .root.Values.cronjobs.ttlSecondsAfterFinished }}
ttlSecondsAfterFinished: {{ int64 . }}
{{- end }}
template:
  metadata:
    labels:
      {{- include "exorun.podLabels" (dict "root" .root "component" "job" "job" .job.name) | nindent 6 }}
    {{- with .root.Values.podAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    {{- $args := concat (list "run" (printf "/etc/exorun/jobs/%s" .job.file)) (list "--job" .job.name) .args }}
    {{- $mounts := "- name: job\n  mountPath: /etc/exorun/jobs\n  readOnly: true" }}
    {{- include "exorun.pod" (dict "root" .root "restartPolicy" "Never" "args" $args "mounts" $mounts "volumes" (include "exorun.jobVolume" (list .root .job))) | nindent 4 }}
{{- end -}}
