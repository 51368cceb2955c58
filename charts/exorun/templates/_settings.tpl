{{/* All settings of the pods, JSON. Those that the chart knows better are not among `settings`; the schema refuses them there. */}}
{{- define "exorun.settings" -}}
{{- $settings := dict -}}
{{- range $key, $value := .Values.settings -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $settings $key $value -}}{{- end -}}
{{- end -}}
{{- $_ := set $settings "output_dir" "/var/lib/exorun/output" -}}
{{- if or .Values.connections .Values.connectionsConfigMap.name -}}
{{- $_ := set $settings "connections_file" (printf "/etc/exorun/connections/%s" .Values.connectionsConfigMap.key) -}}
{{- end -}}
{{- with .Values.leases.namespace -}}{{- $_ := set $settings "lease_namespace" . -}}{{- end -}}
{{- with .Values.vault -}}
{{- if .address -}}
{{- $_ := set $settings "vault_address" .address -}}
{{- $_ := set $settings "vault_auth" .auth -}}
{{- range $key, $value := dict "vault_auth_mount" .authMount "vault_role" .role "vault_namespace" .namespace -}}
{{- if $value -}}{{- $_ := set $settings $key $value -}}{{- end -}}
{{- end -}}
{{- if has .auth (list "kubernetes" "jwt") -}}
{{- $_ := set $settings "vault_jwt_file" "/var/run/secrets/exorun/vault/token" -}}
{{- else -}}
{{- $files := dict "approle" (dict "vault_role_id_file" "role-id" "vault_secret_id_file" "secret-id") "token" (dict "vault_token_file" "token") "cert" (dict "vault_certificate_file" "tls.crt" "vault_key_file" "tls.key") -}}
{{- if not .existingSecret -}}
{{- fail (printf "vault.existingSecret is missing: with vault.auth: %s the pods read %s from a Secret" .auth (values (get $files .auth) | sortAlpha | join " and ")) -}}
{{- end -}}
{{- range $key, $file := get $files .auth -}}{{- $_ := set $settings $key (printf "/etc/exorun/vault/%s" $file) -}}{{- end -}}
{{- end -}}
{{- if .caConfigMap.name -}}{{- $_ := set $settings "vault_ca_file" (printf "/etc/exorun/vault-ca/%s" .caConfigMap.key) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.metrics.pushgateway -}}
{{- if .url -}}
{{- $_ := set $settings "pushgateway_url" .url -}}
{{- with .tokenSecret -}}
{{- if .name -}}{{- $_ := set $settings "pushgateway_token_file" (printf "/etc/exorun/pushgateway-token/%s" .key) -}}{{- end -}}
{{- end -}}
{{- with .basicAuthSecret -}}
{{- if .name -}}{{- $_ := set $settings "pushgateway_basic_auth_file" (printf "/etc/exorun/pushgateway-basic-auth/%s" .key) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.mode "scheduler" -}}
{{- $_ := set $settings "history" "/var/lib/exorun/history/history.sqlite" -}}
{{- $_ := set $settings "admin_address" "0.0.0.0:9464" -}}
{{- if .Values.admin.tokenSecret.name -}}
{{- $_ := set $settings "admin_token_file" (printf "/etc/exorun/admin-token/%s" .Values.admin.tokenSecret.key) -}}
{{- end -}}
{{- if .Values.admin.tlsSecret -}}
{{- $_ := set $settings "admin_tls_certificate" "/etc/exorun/admin-tls/tls.crt" -}}
{{- $_ := set $settings "admin_tls_key" "/etc/exorun/admin-tls/tls.key" -}}
{{- end -}}
{{- end -}}
{{- toJson $settings -}}
{{- end -}}

{{/* The grace must hold all that exorun does after SIGTERM: the calls in hand, then closing sessions, then giving back what Vault lent. */}}
{{- define "exorun.grace" -}}
{{- $settings := include "exorun.settings" . | fromJson -}}
{{- $drain := int64 (include "exorun.seconds" (list "settings.drain_grace" ($settings.drain_grace | default "25s"))) -}}
{{- $close := int64 (include "exorun.seconds" (list "settings.close_deadline" ($settings.close_deadline | default "5s"))) -}}
{{- $least := add $drain (mul 2 $close) 5 -}}
{{- if $settings.pushgateway_url -}}
{{- $least = add $least (int64 (include "exorun.seconds" (list "settings.pushgateway_timeout" ($settings.pushgateway_timeout | default "5s")))) -}}
{{- end -}}
{{- if lt (int64 .Values.terminationGracePeriodSeconds) $least -}}
{{- fail (printf "terminationGracePeriodSeconds is %d, but a run may need %d s to end: drain_grace, twice close_deadline, 5 s, and pushgateway_timeout if there is one; sessions that are killed stay in quarantine" (int64 .Values.terminationGracePeriodSeconds) $least) -}}
{{- end -}}
{{- int64 .Values.terminationGracePeriodSeconds -}}
{{- end -}}

{{- define "exorun.env" -}}
{{- range $key, $value := include "exorun.settings" . | fromJson }}
- name: EXORUN_{{ upper $key }}
  value: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
