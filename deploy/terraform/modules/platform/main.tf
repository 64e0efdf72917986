# What the cluster needs beside the chat. Each controller has a role of its own, by EKS Pod Identity, that may do its work
# and, wherever AWS can tell, only on what is this cluster's.

locals {
  # Exactly: a rollout of ours is no reason for one of theirs.
  chart_versions = merge({
    aws-load-balancer-controller = "1.14.0"
    cluster-autoscaler           = "9.50.1"
    external-dns                 = "1.19.0"
    external-secrets             = "1.3.2" # whose kinds our tests have (scripts/k8s-tools.sh)
    metrics-server               = "3.13.0"
    prometheus-adapter           = "5.1.0"
  }, var.chart_versions)

  dns = var.hosted_zone_id == null ? toset([]) : toset(["external-dns"])
}

resource "helm_release" "load_balancer" {
  name       = "aws-load-balancer-controller"
  repository = "https://aws.github.io/eks-charts"
  chart      = "aws-load-balancer-controller"
  version    = local.chart_versions["aws-load-balancer-controller"]
  namespace  = "kube-system"
  atomic     = true
  timeout    = 600

  values = [yamlencode({
    clusterName  = var.cluster_name
    region       = var.region # pods cannot ask the node
    vpcId        = var.vpc_id
    replicaCount = var.replicas
    # What it has no rights for: nothing of ours uses them.
    enableShield = false
    enableWaf    = false
    enableWafv2  = false
    # Services of type LoadBalancer are not ours.
    enableServiceMutatorWebhook = false
    serviceAccount              = { create = true, name = local.identities["load-balancer"].service_account }
  })]

  depends_on = [aws_eks_pod_identity_association.main]
}

resource "helm_release" "external_secrets" {
  name             = "external-secrets"
  repository       = "https://charts.external-secrets.io"
  chart            = "external-secrets"
  version          = local.chart_versions["external-secrets"]
  namespace        = "external-secrets"
  create_namespace = true
  atomic           = true
  timeout          = 600

  values = [yamlencode({
    installCRDs       = true
    replicaCount      = var.replicas
    leaderElect       = true
    serviceAccount    = { create = true, name = local.identities["secrets"].service_account }
    extraEnv          = [{ name = "AWS_REGION", value = var.region }]
    webhook           = { replicaCount = var.replicas }
    processPushSecret = false # it brings secrets, and takes none away
    # Stores and secrets for all namespaces: the chat's are its own.
    processClusterStore          = false
    processClusterExternalSecret = false
    processClusterPushSecret     = false
  })]

  depends_on = [aws_eks_pod_identity_association.main, helm_release.load_balancer]
}

resource "helm_release" "metrics_server" {
  name       = "metrics-server"
  repository = "https://kubernetes-sigs.github.io/metrics-server/"
  chart      = "metrics-server"
  version    = local.chart_versions["metrics-server"]
  namespace  = "kube-system"
  atomic     = true
  timeout    = 600

  values = [yamlencode({
    replicas            = var.replicas
    podDisruptionBudget = { enabled = var.replicas > 1, minAvailable = var.replicas > 1 ? 1 : null }
  })]
}

resource "helm_release" "prometheus_adapter" {
  name             = "prometheus-adapter"
  repository       = "https://prometheus-community.github.io/helm-charts"
  chart            = "prometheus-adapter"
  version          = local.chart_versions["prometheus-adapter"]
  namespace        = "monitoring"
  create_namespace = true
  timeout          = 600
  # It is ready only when Prometheus is, which is part of the chat and comes after.
  wait = false

  values = [file(var.adapter_values), yamlencode({ replicas = var.replicas })]
}

resource "helm_release" "autoscaler" {
  name       = "cluster-autoscaler"
  repository = "https://kubernetes.github.io/autoscaler"
  chart      = "cluster-autoscaler"
  version    = local.chart_versions["cluster-autoscaler"]
  namespace  = "kube-system"
  atomic     = true
  timeout    = 600

  values = [yamlencode({
    autoDiscovery = { clusterName = var.cluster_name }
    awsRegion     = var.region
    replicaCount  = 1
    rbac          = { serviceAccount = { create = true, name = local.identities["autoscaler"].service_account } }
    extraArgs = {
      balance-similar-node-groups   = true # one group for each zone
      expander                      = "least-waste"
      scale-down-unneeded-time      = "10m"
      skip-nodes-with-local-storage = false # emptyDirs of ours hold nothing that is missed
      skip-nodes-with-system-pods   = false
    }
  })]

  depends_on = [aws_eks_pod_identity_association.main]
}

resource "helm_release" "dns" {
  for_each = local.dns

  name             = "external-dns"
  repository       = "https://kubernetes-sigs.github.io/external-dns/"
  chart            = "external-dns"
  version          = local.chart_versions["external-dns"]
  namespace        = "external-dns"
  create_namespace = true
  atomic           = true
  timeout          = 600

  values = [yamlencode({
    provider      = { name = "aws" }
    sources       = ["ingress"]
    policy        = "sync" # a name that leads nowhere is taken away
    registry      = "txt"
    txtOwnerId    = var.cluster_name # others' names in the zone are not its own
    domainFilters = [var.domain]
    extraArgs     = ["--zone-id-filter=${var.hosted_zone_id}", "--namespace=${var.namespace}"]
    env           = [{ name = "AWS_DEFAULT_REGION", value = var.region }]
    serviceAccount = {
      create = true
      name   = local.identities["dns"].service_account
    }
  })]

  depends_on = [aws_eks_pod_identity_association.main, helm_release.load_balancer]
}
