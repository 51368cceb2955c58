{{/* What every pod of exorun mounts, beside its jobs. */}}
{{- define "exorun.mounts" -}}
# The image writes here only (docs/image.md), and jobs below their output folder.
- name: scratch
  mountPath: /run/exorun
- name: output
  mountPath: /var/lib/exorun/output
{{- if or .Values.connections .Values.connectionsConfigMap.name }}
- name: connections
  mountPath: /etc/exorun/connections
  readOnly: true
{{- end }}
{{- range $index, $secret := .Values.credentials.existingSecrets }}
- name: credentials-{{ $index }}
  mountPath: /etc/exorun/credentials/{{ $secret }}
  readOnly: true
{{- end }}
{{- if .Values.vault.address }}
{{- if has .Values.vault.auth (list "kubernetes" "jwt") }}
- name: vault-token
  mountPath: /var/run/secrets/exorun/vault
  readOnly: true
{{- else }}
- name: vault
  mountPath: /etc/exorun/vault
  readOnly: true
{{- end }}
{{- if .Values.vault.caConfigMap.name }}
- name: vault-ca
  mountPath: /etc/exorun/vault-ca
  readOnly: true
{{- end }}
{{- end }}
{{- range $name, $secret := include "exorun.pushSecrets" . | fromJson }}
- name: {{ $name }}
  mountPath: /etc/exorun/{{ $name }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "exorun.volumes" -}}
- name: scratch
  emptyDir:
    sizeLimit: 256Mi
- name: output
  {{- if .Values.output.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ .Values.output.existingClaim }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- if or .Values.connections .Values.connectionsConfigMap.name }}
- name: connections
  configMap:
    name: {{ include "exorun.connectionsName" . }}
{{- end }}
{{- range $index, $secret := .Values.credentials.existingSecrets }}
- name: credentials-{{ $index }}
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
{{- end }}
{{- with .Values.vault }}
{{- if .address }}
{{- if has .auth (list "kubernetes" "jwt") }}
# A token for Vault alone: the API server does not take it.
- name: vault-token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          audience: {{ .audience | quote }}
          expirationSeconds: {{ int64 .tokenExpirationSeconds }}
{{- else }}
- name: vault
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
{{- end }}
{{- if .caConfigMap.name }}
- name: vault-ca
  configMap:
    name: {{ .caConfigMap.name }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $secret := include "exorun.pushSecrets" . | fromJson }}
- name: {{ $name }}
  secret:
    secretName: {{ $secret }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The Secrets for the Pushgateway by the name of their volumes, JSON. */}}
{{- define "exorun.pushSecrets" -}}
{{- $secrets := dict -}}
{{- with .Values.metrics.pushgateway -}}
{{- if .url -}}
{{- with .tokenSecret.name -}}{{- $_ := set $secrets "pushgateway-token" . -}}{{- end -}}
{{- with .basicAuthSecret.name -}}{{- $_ := set $secrets "pushgateway-basic-auth" . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}

{{/* One job's file out of its ConfigMap, as a volume. Takes (list $ job). */}}
{{- define "exorun.jobVolume" -}}
- name: job
  configMap:
    name: {{ include "exorun.jobsName" (list (index . 0) (index . 1).bin) }}
    items:
      - key: {{ (index . 1).file }}
        path: {{ (index . 1).file }}
{{- end -}}
