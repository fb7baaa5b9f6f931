{{/* The prefix of all names: short enough that every suffix still fits into 63 characters. */}}
{{- define "tender.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "tender.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tender
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels that select a component's pods; they must never change. Takes {root, component}. */}}
{{- define "tender.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of a component's objects. Takes {root, component}. */}}
{{- define "tender.componentLabels" -}}
{{ include "tender.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Name of a component's objects. Takes {root, component}. */}}
{{- define "tender.componentName" -}}
{{ include "tender.fullname" .root }}-{{ .component }}
{{- end -}}

{{/* Name of a component's service account. Takes {root, component}. */}}
{{- define "tender.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.name -}}
{{- $account.name -}}
{{- else if $account.create -}}
{{- include "tender.componentName" . -}}
{{- else -}}
{{- fail (printf "%s.serviceAccount.name is needed when %s.serviceAccount.create is false" .component .component) -}}
{{- end -}}
{{- end -}}

{{/* The image; a digest wins over a tag. */}}
{{- define "tender.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}


{{/* Name of the release's own priority class. */}}
{{- define "tender.ownPriorityClass" -}}
{{ default (printf "%s-%s" (include "tender.fullname" .) .Release.Namespace) .Values.priorityClass.name }}
{{- end -}}

{{/* Name of the priority class of a component's pods, or nothing. Takes {root, component}. */}}
{{- define "tender.priorityClassName" -}}
{{- if .root.Values.priorityClass.create -}}
{{- include "tender.ownPriorityClass" .root -}}
{{- else -}}
{{- (index .root.Values .component).priorityClassName -}}
{{- end -}}
{{- end -}}

{{/* The namespaces whose frameworks the controller runs, as {names: […]}; none: all. */}}
{{- define "tender.controllerNamespaces" -}}
{{- $former := list .Values.controller.namespace | compact -}}
{{- dict "names" (concat .Values.controller.namespaces $former | uniq) | toYaml -}}
{{- end -}}
