{{/* Metadata of a policy or its binding. Takes {root, policy}. */}}
{{- define "tender.policyMetadata" -}}
name: {{ include "tender.fullname" .root }}-{{ .policy }}
labels:
  {{- include "tender.labels" .root | nindent 2 }}
{{- end -}}

{{/* The binding that puts a policy into force in the namespaces that were chosen. Takes {root, policy}. */}}
{{- define "tender.policyBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "tender.policyMetadata" . | nindent 2 }}
spec:
  policyName: {{ include "tender.fullname" .root }}-{{ .policy }}
  validationActions: [Deny]
  {{- with .root.Values.admission.namespaceSelector }}
  matchResources:
    namespaceSelector:
      {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end -}}

{{/* CEL: the frameworks that a pod says it is of, by label or owner. Takes the variable with the pod. */}}
{{- define "tender.frameworksOfPod" -}}
({{ . }}.metadata.?labels[?'tender.dev/framework'].hasValue()
  ? [{{ . }}.metadata.labels['tender.dev/framework']] : [])
+ {{ . }}.metadata.?ownerReferences.orValue([])
  .filter(o, o.kind == 'Framework' && o.apiVersion.startsWith('tender.dev/')).map(o, o.name)
{{- end -}}

{{/* CEL: what of a pod decides whom it is charged to, as text. Takes the variable with the pod. */}}
{{- define "tender.chargeOfPod" -}}
[{{ . }}.metadata.?labels[?'tender.dev/framework'].orValue('')]
+ {{ . }}.metadata.?ownerReferences.orValue([])
  .filter(o, o.kind == 'Framework' && o.apiVersion.startsWith('tender.dev/'))
  .map(o, o.name + ' ' + o.uid + ' ' + string(o.?controller.orValue(false)))
{{- end -}}

{{/* CEL: whether the user may claim a framework of the pod's namespace. Takes the variable with its name. */}}
{{- define "tender.mayClaim" -}}
authorizer.group('tender.dev').resource('frameworks').namespace(request.namespace)
  .name({{ . }}).check('claim').allowed()
{{- end -}}

{{/* CEL: the rest of the sentence for who may not. */}}
{{- define "tender.mayNotClaim" -}}
', by its label tender.dev/framework or its owner, and you may not claim it:'
+ ' the verb "claim" on frameworks.tender.dev is needed, as in the ClusterRole {{ include "tender.fullname" . }}-framework'
{{- end -}}

{{/* CEL: the roles that a framework or a reservation takes part in. Takes the variable with the object. */}}
{{- define "tender.rolesOf" -}}
[{{ . }}.spec.?role.orValue('default')] + {{ . }}.spec.?roles.orValue([])
{{- end -}}

{{/* The rules that the controller needs besides, where policies are in force. */}}
{{- define "tender.admissionRules" -}}
{{- with .Values.admission }}
{{- if or .claimPolicy.enabled .bindPolicy.enabled }}
# Its pods are of frameworks that it may claim.
- apiGroups: [tender.dev]
  resources: [frameworks]
  verbs: [claim]
{{- end }}
{{- if .rolePolicy.enabled }}
# The places of stateful services are reserved in the roles of their frameworks, whose authors were asked for this right.
- apiGroups: [tender.dev]
  resources: [frameworkroles]
  verbs: [use]
{{- end }}
{{- end }}
{{- end -}}
