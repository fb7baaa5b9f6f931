#!/bin/sh
# A framework of one's own with nothing but kubectl: runs COUNT copies of a pod, each until it succeeds, and ends.
#
#     run-copies.sh NAMESPACE FRAMEWORK COUNT
#
# It keeps nothing in memory or in files: started again at any moment, it goes on where the last one stopped. It ends when
# the API server does not answer; run it where it is started again, such as in a Deployment or a Job.
set -eu

namespace=$1 framework=$2 count=$3
task=copy cpu=100m memory=32Mi image=${IMAGE:-busybox}

kube() { kubectl --namespace="$namespace" "$@"; }

# Offers of this framework in a phase, as lines of: name, resourceVersion.
offers() {
  kube get resourceoffers --output=jsonpath="{range .items[?(@.status.phase==\"$1\")]}{.spec.framework} {.metadata.name} \
{.metadata.resourceVersion}{\"\n\"}{end}" | while read -r of name version; do
    if [ "$of" = "$framework" ]; then echo "$name $version"; fi
  done
}

# How many of the framework's pods are in one of these phases.
pods_in() {
  phases=$(kube get pods --selector="tender.dev/framework=$framework" \
    --output=jsonpath='{range .items[*]}{.status.phase}{"\n"}{end}') || return 1
  echo "$phases" | grep -c -x -E "$1" || true
}

# The demand is absolute: the master takes off what runs, and offers the rest. An empty one suppresses offers.
declare_demand() {
  if [ "$1" -gt 0 ]; then
    demand='[{"name":"'$task'","count":'$1',"requests":{"cpu":"'$cpu'","memory":"'$memory'"}}]'
  else
    demand='[]'
  fi
  kube patch framework "$framework" --subresource=status --type=merge --patch='{"status":{"demand":'"$demand"'}}'
}

# Claim what an offer holds for the task. One write with the version that was read: whoever writes first has won, so a
# conflict only means that the offer is not open any more.
claim() {
  index=0 claims=
  while IFS='|' read -r tasks resources; do
    if [ "${tasks:-0}" -gt 0 ]; then
      claims=$claims${claims:+,}'{"slice":'$index',"resources":'$resources',"tasks":{"'$task'":'$tasks'}}'
    fi
    index=$((index + 1))
  done <<SLICES
$(kube get resourceoffer "$1" --output=jsonpath="{range .spec.slices[*]}{.tasks.$task}|{.resources}{\"\n\"}{end}")
SLICES
  if [ -n "$claims" ]; then
    answer "$1" "$2" '"phase":"Claimed","claims":['"$claims"']'
  else
    answer "$1" "$2" '"phase":"Declined","refuseSeconds":60'
  fi
}

answer() {
  kube patch resourceoffer "$1" --subresource=status --type=merge --patch='{"metadata":{"resourceVersion":"'"$2"'"},
    "status":{'"$3"',"answeredAt":"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'"}}' || echo "offer $1 was not to be had"
}

# Create the pods that a claim made room for. Their names follow from the claim, so one that is there already, or was
# made by an earlier run of this script, is not made twice. The claim ends by itself when all of them were seen.
launch() {
  kube get resourceoffer "$1" --ignore-not-found --output=jsonpath="{range .status.claims[*]}{.slice} {.tasks.$task}{\"\n\"}{end}" |
    while read -r slice tasks; do
      node=$(kube get resourceoffer "$1" --output=jsonpath="{.spec.slices[$slice].node}")
      number=0
      while [ "$number" -lt "${tasks:-0}" ]; do
        create_pod "$1" "$1-$slice-$number" "$node"
        number=$((number + 1))
      done
    done
}

create_pod() {
  if [ -n "$(kube get pod "$2" --ignore-not-found --output=name)" ]; then return; fi
  kube create --filename=- <<POD || echo "pod $2 was not to be made"
apiVersion: v1
kind: Pod
metadata:
  name: $2
  labels: {tender.dev/framework: $framework, tender.dev/offer: $1, tender.dev/task: $task}
  ownerReferences:
  - {apiVersion: tender.dev/v1alpha1, kind: Framework, name: $framework, uid: $uid, controller: true}
spec:
  nodeName: $3
  restartPolicy: Never
  containers:
  - name: copy
    image: $image
    command: [echo, done]
    resources: {requests: {cpu: $cpu, memory: $memory}}
POD
}

# Failed copies make room for new ones, once their claim has ended: until then their names say that they were launched.
remove_failed() {
  kube get pods --selector="tender.dev/framework=$framework" \
    --output=jsonpath='{range .items[?(@.status.phase=="Failed")]}{.metadata.name} {.metadata.labels.tender\.dev/offer}{"\n"}{end}' |
    while read -r pod offer; do
      if [ -z "$(kube get resourceoffer "$offer" --ignore-not-found --output=name)" ]; then
        kube delete pod "$pod" --wait=false
      fi
    done
}

uid=$(kube get framework "$framework" --output=jsonpath='{.metadata.uid}')
declared=
while :; do
  offers Claimed | while read -r name _; do launch "$name"; done
  remove_failed
  succeeded=$(pods_in Succeeded)
  left=$((count - succeeded))
  if [ "$left" != "$declared" ]; then
    declare_demand "$left"
    declared=$left
  fi
  if [ "$left" -le 0 ]; then break; fi
  running=$(pods_in 'Pending|Running')
  missing=$((left - running))
  offers Offered | while read -r name version; do
    if [ "$missing" -gt 0 ]; then
      claim "$name" "$version"
    else
      answer "$name" "$version" '"phase":"Declined","refuseSeconds":5'
    fi
  done
  sleep 1
done
echo "all $count copies have succeeded"
