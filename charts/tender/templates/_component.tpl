{{/* The Deployment of a component. Takes {root, component, args}. */}}
{{- define "tender.deployment" -}}
{{- $values := index .root.Values .component -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "tender.componentName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tender.componentLabels" . | nindent 4 }}
spec:
  # One writer: the old pod is gone before the new one starts.
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "tender.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "tender.componentLabels" . | nindent 8 }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or .root.Values.metrics.annotations $values.podAnnotations }}
      annotations:
        {{- if .root.Values.metrics.annotations }}
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
        prometheus.io/path: /metrics
        {{- end }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "tender.serviceAccountName" . }}
      automountServiceAccountToken: true
      # A Service named tender would otherwise put TENDER_ variables into the pod.
      enableServiceLinks: false
      terminationGracePeriodSeconds: 10
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .root.Values.podSecurityContext | nindent 8 }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "tender.image" .root | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: [tender]
          args:
            - {{ .component }}
            - --port=8080
            - --log-level={{ $values.logLevel }}
            {{- range .args }}
            - {{ . | quote }}
            {{- end }}
            {{- range $values.extraArgs }}
            - {{ . | quote }}
            {{- end }}
          ports:
            - name: metrics
              containerPort: 8080
              protocol: TCP
          # Five minutes to read the cluster for the first time; the other probes wait for that.
          startupProbe:
            httpGet:
              path: /readyz
              port: metrics
            initialDelaySeconds: 3
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 150
          # Fails soon: the API server is silent, or the caches are not complete.
          readinessProbe:
            httpGet:
              path: /readyz
              port: metrics
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          # Fails late, by the program's own judgement: a watch or the loop is stuck.
          livenessProbe:
            httpGet:
              path: /healthz
              port: metrics
            periodSeconds: 15
            timeoutSeconds: 10
            failureThreshold: 4
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          # Nothing is written to disk: there is not even a /tmp.
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
{{- end -}}

{{/* The service account of a component. Takes {root, component}. */}}
{{- define "tender.serviceAccount" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "tender.serviceAccountName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tender.componentLabels" . | nindent 4 }}
  {{- with $account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
# Only the component's own pod mounts a token; it says so itself.
automountServiceAccountToken: false
{{- end -}}

{{/* Metadata of a component's role or binding. Takes {root, component, namespace}; no namespace: cluster-wide. */}}
{{- define "tender.rbacMetadata" -}}
name: {{ include "tender.componentName" . }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- include "tender.componentLabels" . | nindent 2 }}
{{- end -}}

{{/* The subject of a component's binding. Takes {root, component}. */}}
{{- define "tender.rbacSubject" -}}
- kind: ServiceAccount
  name: {{ include "tender.serviceAccountName" . }}
  namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{/* The headless metrics Service of a component. Takes {root, component}. */}}
{{- define "tender.metricsService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "tender.componentName" . }}-metrics
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tender.componentLabels" . | nindent 4 }}
spec:
  clusterIP: None
  # Figures of a pod that is not ready are wanted most.
  publishNotReadyAddresses: true
  selector:
    {{- include "tender.selectorLabels" . | nindent 4 }}
  ports:
    - name: metrics
      port: 8080
      targetPort: metrics
      protocol: TCP
{{- end -}}
