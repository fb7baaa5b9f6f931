{{/* The Deployment of a component. Takes {root, component, args}. */}}
{{- define "tender.deployment" -}}
{{- $values := index .root.Values .component -}}
{{- $strategy := include "tender.strategy" . -}}
{{- $selector := include "tender.selectorLabels" . -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "tender.componentName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tender.componentLabels" . | nindent 4 }}
spec:
  replicas: {{ $values.replicas }}
  strategy:
    {{- $strategy | nindent 4 }}
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
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .root.Values.podSecurityContext | nindent 8 }}
      {{- with include "tender.priorityClassName" . }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if gt (int $values.replicas) 1 }}
      {{- with $values.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- range . }}
        - {{ . | toYaml | nindent 10 | trim }}
          {{- if not .labelSelector }}
          labelSelector:
            matchLabels:
              {{- $selector | nindent 14 }}
          {{- end }}
        {{- end }}
      {{- end }}
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
          {{- with $values.extraEnv }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $values.extraEnvFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          startupProbe:
            {{- include "tender.probe" (list "/readyz" $values.probes.startup) | nindent 12 }}
          readinessProbe:
            {{- include "tender.probe" (list "/readyz" $values.probes.readiness) | nindent 12 }}
          livenessProbe:
            {{- include "tender.probe" (list "/healthz" $values.probes.liveness) | nindent 12 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- toYaml .root.Values.containerSecurityContext | nindent 12 }}
          {{- with $values.extraVolumeMounts }}
          volumeMounts:
            {{- toYaml . | nindent 12 }}
          {{- end }}
      {{- with $values.extraVolumes }}
      volumes:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* How a component's pods are replaced. Two that do not know of each other would both write. Takes {root, component,
args}. */}}
{{- define "tender.strategy" -}}
{{- $values := index .root.Values .component -}}
{{- $several := gt (int $values.replicas) 1 -}}
{{- $default := ternary (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" 0 "maxUnavailable" 1)) (dict "type" "Recreate") $several -}}
{{- $strategy := default $default $values.strategy -}}
{{- $elected := false -}}
{{- range concat .args $values.extraArgs -}}
{{- if regexMatch "^--leader-elect(=true)?$" . -}}{{- $elected = true -}}{{- end -}}
{{- if eq "--no-leader-elect" . -}}{{- $elected = false -}}{{- end -}}
{{- end -}}
{{- if and (or $several (ne $strategy.type "Recreate")) (not $elected) -}}
{{- fail (printf "%s: several replicas, or a strategy other than Recreate, need leader election; set %s.replicas to 1 and leave %s.strategy empty" .component .component .component) -}}
{{- end -}}
{{- toYaml $strategy -}}
{{- end -}}

{{/* A probe of the container. Takes [path, tunables]. */}}
{{- define "tender.probe" -}}
httpGet:
  path: {{ index . 0 }}
  port: metrics
{{ index . 1 | toYaml }}
{{- end -}}

{{/* The budget for a component's pods, where there are several. Takes {root, component}. */}}
{{- define "tender.podDisruptionBudget" -}}
{{- $values := index .root.Values .component -}}
{{- if and $values.podDisruptionBudget.create (gt (int $values.replicas) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "tender.componentName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "tender.componentLabels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $values.podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready is of no use to anybody, so it never stands in the way of a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "tender.selectorLabels" . | nindent 6 }}
{{- end }}
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
