{{/* The pod of one job; keeps to the restricted profile of pod security. Takes (list $ name job). */}}
{{- define "exorun.pod" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $job := index . 2 -}}
restartPolicy: Never
serviceAccountName: {{ include "exorun.fullname" $root }}
# For the Leases by which pods share an account's sessions.
automountServiceAccountToken: true
# A Service named exorun would else put EXORUN_* variables into the pods.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: exorun
    image: {{ include "exorun.image" $root | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args:
      - run
      - /etc/exorun/jobs/{{ $name }}.yaml
      {{- with $job.args }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    env:
      {{- if $root.Values.connections }}
      - name: EXORUN_CONNECTIONS_FILE
        value: /etc/exorun/connections/connections.yaml
      {{- end }}
      {{- with $root.Values.leases.namespace }}
      - name: EXORUN_LEASE_NAMESPACE
        value: {{ . | quote }}
      {{- end }}
      {{- range $key, $value := $root.Values.settings }}
      - name: EXORUN_{{ upper $key }}
        value: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
      {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop:
          - ALL
    {{- with $root.Values.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - name: job
        mountPath: /etc/exorun/jobs
        readOnly: true
      {{- if $root.Values.connections }}
      - name: connections
        mountPath: /etc/exorun/connections
        readOnly: true
      {{- end }}
      # The overflow of long listings.
      - name: tmp
        mountPath: /tmp
      {{- if $root.Values.credentials.secretName }}
      - name: credentials
        mountPath: /etc/exorun/credentials
        readOnly: true
      {{- end }}
volumes:
  - name: job
    configMap:
      name: {{ include "exorun.cronJobName" (list $root $name) }}
  {{- if $root.Values.connections }}
  - name: connections
    configMap:
      name: {{ include "exorun.connectionsName" $root }}
  {{- end }}
  - name: tmp
    emptyDir:
      sizeLimit: 256Mi
  {{- with $root.Values.credentials.secretName }}
  - name: credentials
    secret:
      secretName: {{ . | quote }}
      defaultMode: 0440
  {{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
