# What runs in the cluster of the stack infrastructure: the platform's controllers, then the chat.

# Who signs the certificates of RDS in this region.
data "http" "database_ca" {
  url = "https://truststore.pki.rds.amazonaws.com/${var.region}/${var.region}-bundle.pem"

  retry {
    attempts = 3
  }

  lifecycle {
    postcondition {
      condition     = self.status_code == 200
      error_message = "Amazon's certificates for databases could not be had: ${self.url} answers ${self.status_code}."
    }
  }
}

module "platform" {
  source = "../../modules/platform"

  cluster_name   = var.infrastructure.cluster.name
  region         = var.region
  vpc_id         = var.infrastructure.vpc.id
  replicas       = var.controllers
  secret         = { arn = var.infrastructure.secret.arn, kms_key_arn = var.infrastructure.secret.kms_key_arn }
  backups        = { bucket_arn = var.backups.bucket_arn, kms_key_arn = var.backups.kms_key_arn }
  hosted_zone_id = var.infrastructure.hosted_zone_id
  domain         = var.infrastructure.domain
  adapter_values = "${path.module}/../../../k8s/autoscaling/adapter-values.yaml"
}

module "app" {
  source = "../../modules/app"

  layer    = var.layer
  overlay  = "eks"
  k8s      = "../../../../../k8s" # from environments/*/workloads/.layer
  images   = { for name, url in var.infrastructure.repositories : name => { repository = url, tag = var.image_tag } }
  config   = var.infrastructure.config
  replicas = var.replicas

  eks = {
    cluster         = var.infrastructure.cluster.name
    region          = var.region
    cidr            = var.infrastructure.vpc.cidr
    host            = var.infrastructure.ingress.host
    certificate_arn = var.infrastructure.ingress.certificate_arn
    secret          = var.infrastructure.secret.name
    database_ca     = data.http.database_ca.response_body
    kafka_brokers   = var.infrastructure.kafka_brokers
    backup_bucket   = var.backups.bucket
  }

  depends_on = [module.platform] # and goes before it: only the controllers can take a load balancer away
}
