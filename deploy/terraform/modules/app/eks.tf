# What stands in the place of the examples of deploy/k8s/overlays/eks.

locals {
  on_eks = var.eks != null

  # Each policy that speaks of the network, and where it does.
  networks = {
    to-postgres        = "/spec/egress/0/to/0/ipBlock/cidr"
    to-broker          = "/spec/egress/0/to/0/ipBlock/cidr"
    to-redis           = "/spec/egress/0/to/0/ipBlock/cidr"
    to-bucket          = "/spec/egress/1/to/0/ipBlock/cidr"
    from-load-balancer = "/spec/ingress/0/from/0/ipBlock/cidr"
  }

  # Who speaks with PostgreSQL, and in which of a pod's containers. Amazon's own authority signs RDS's certificates, which nobody
  # knows who was not told; the address in the secret says where they find it (modules/data/secrets.tf).
  database_readers = [
    { kind = "Deployment", name = "gateway|sequencer", pod = "/spec/template/spec", containers = ["containers/0"], first = false },
    { kind = "Deployment", name = "postgres-exporter", pod = "/spec/template/spec", containers = ["containers/0"], first = true },
    { kind = "Job", name = "migrate", pod = "/spec/template/spec", containers = ["containers/0"], first = false },
    { kind = "CronJob", name = "backup", pod = "/spec/jobTemplate/spec/template/spec", containers = ["containers/0"], first = false },
    {
      kind       = "CronJob"
      name       = "restore"
      pod        = "/spec/jobTemplate/spec/template/spec"
      containers = ["initContainers/1", "initContainers/2", "containers/0"]
      first      = false
    },
  ]
  database_volume = { name = "database-ca", configMap = { name = "database-ca" } }
  database_mount  = { name = "database-ca", mountPath = "/etc/database-ca", readOnly = true }

  # A patch counts through the properties of each secret, so it asks the overlay how many there are.
  external_secrets = [
    for document in split("\n---\n", try(file("${local.overlay_folder}/secrets.yaml"), "")) : yamldecode(document)
    if strcontains(document, "kind: ExternalSecret")
  ]

  eks_config = !local.on_eks ? {} : {
    blabber-hive = {
      KAFKA_BROKER_URL     = var.eks.kafka_brokers
      KAFKA_TLS            = "true"
      KAFKA_SASL_MECHANISM = "SCRAM-SHA-512"
    }
    backup = {
      RESTIC_REPOSITORY  = "s3:https://s3.${var.eks.region}.amazonaws.com/${var.eks.backup_bucket}/database"
      AWS_DEFAULT_REGION = var.eks.region
    }
    kafka-exporter = {
      KAFKA_BROKER = split(",", var.eks.kafka_brokers)[0] # it takes one, and hears of the others
    }
  }

  eks_patches = !local.on_eks ? [] : concat(
    [
      {
        target = { kind = "Ingress", name = "nginx" }
        patch = yamlencode([
          { op = "replace", path = "/spec/rules/0/host", value = var.eks.host },
          {
            op    = "replace"
            path  = "/metadata/annotations/alb.ingress.kubernetes.io~1certificate-arn"
            value = var.eks.certificate_arn
          },
        ])
      },
      {
        target = { kind = "SecretStore", name = "aws" }
        patch  = yamlencode([{ op = "replace", path = "/spec/provider/aws/region", value = var.eks.region }])
      },
    ],
    [for secret in local.external_secrets : {
      target = { kind = "ExternalSecret", name = secret.metadata.name }
      patch = yamlencode([for index, data in secret.spec.data : {
        op    = "replace"
        path  = "/spec/data/${index}/remoteRef/key"
        value = var.eks.secret
      }])
    }],
    # The first volume of a pod is a list of one; others are added to the list.
    [for reader in local.database_readers : {
      target = { kind = reader.kind, name = reader.name }
      patch = yamlencode(concat(
        [{
          op    = "add"
          path  = "${reader.pod}/volumes${reader.first ? "" : "/-"}"
          value = jsondecode(reader.first ? jsonencode([local.database_volume]) : jsonencode(local.database_volume))
        }],
        [for container in reader.containers : {
          op    = "add"
          path  = "${reader.pod}/${container}/volumeMounts${reader.first ? "" : "/-"}"
          value = jsondecode(reader.first ? jsonencode([local.database_mount]) : jsonencode(local.database_mount))
        }],
      ))
    }],
    [for name, path in local.networks : {
      target = { kind = "NetworkPolicy", name = name }
      patch  = yamlencode([{ op = "replace", path = path, value = var.eks.cidr }])
    }],
    [for name, replicas in var.replicas : {
      target = { kind = "HorizontalPodAutoscaler", name = name }
      patch = yamlencode([
        { op = "replace", path = "/spec/minReplicas", value = replicas.min },
        { op = "replace", path = "/spec/maxReplicas", value = replicas.max },
      ])
    }],
  )
}
