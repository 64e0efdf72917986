// Package k8stest checks what the manifests of deploy/k8s mean, as data: that pods keep the house's rules, that what one object names
// another has, that pods may talk to each other along the arrows of docs/architecture.md and no others, and that nothing of
// compose.yaml is missing.
//
// Its tests also give nginx, Prometheus and blabber-hive what their pods are given, and see whether they take it.
//
// An overlay is rendered by kustomize itself, from files in memory, so that a test can plant a fault. It is a module of its own so that
// the product does not carry Kubernetes' types.
//
// Invariants:
//
//   - What is rendered is read strictly: a field that Kubernetes does not know is an error, and so is a kind that is in no table.
//   - Every check answers with a sentence for each thing that is wrong, and has been seen to find a planted fault.
//
// There are no dependencies that could die.
package k8stest
