{{- define "exorun.scheme" -}}
{{- ternary "HTTPS" "HTTP" (not (empty .Values.admin.tlsSecret)) -}}
{{- end -}}

{{- define "exorun.probes" -}}
ports:
  - name: metrics
    containerPort: 9464
livenessProbe:
  httpGet:
    path: /livez
    port: metrics
    scheme: {{ include "exorun.scheme" . }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
# Until the first secret can be read, a Vault that is sealed keeps the pod from being ready, and does not have it restarted.
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
    scheme: {{ include "exorun.scheme" . }}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end -}}
