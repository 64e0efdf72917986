# Production: every part has another in another zone, and nothing goes by accident.

terraform {
  required_version = "~> 1.11"

  # Its bucket and region come from `make up` (-backend-config).
  backend "s3" {
    key          = "production/infrastructure.tfstate"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.14"
    }
  }
}

locals {
  tags = { project = "blabber-hive", environment = "production", made-by = "terraform" }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

provider "cloudflare" {
  api_token = var.cloudflare_api_token
}

data "terraform_remote_state" "keep" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "production/keep.tfstate"
    region = var.region
  }
}

module "infrastructure" {
  source = "../../../stacks/infrastructure"

  environment = "production"
  disposable  = false

  network = {
    cidr = "10.30.0.0/16"
    nat  = "zone"
    # What goes on while the way out does not: images, credentials, passwords, logs.
    interface_endpoints = ["ecr.api", "ecr.dkr", "eks-auth", "logs", "secretsmanager", "sts"]
  }

  cluster = {
    instance_types = ["m7i.large", "m6i.large", "m7a.large"]
    nodes          = { min = 1, max = 5 }
  }

  postgres = {
    instance_class        = "db.m7g.large"
    storage_gibibytes     = 100
    storage_gibibytes_max = 1000
    multi_az              = true
    backup_days           = 14
  }

  redis = { node_type = "cache.m7g.large", shards = 1, replicas = 2 }
  kafka = { instance_type = "kafka.m7g.large", storage_gibibytes = 200, storage_gibibytes_max = 2000 }

  log_days = 90

  domain                   = var.domain
  hosted_zone_id           = var.hosted_zone_id
  certificate_arn          = var.certificate_arn
  operators                = var.operators
  admins                   = var.admins
  signup                   = var.signup
  supabase                 = var.supabase
  supabase_jwt_secret      = var.supabase_jwt_secret
  frontend                 = var.frontend
  frontend_certificate_arn = var.frontend_certificate_arn
  cloudflare_account_id    = var.cloudflare_account_id
  restic_password          = data.terraform_remote_state.keep.outputs.restic_password
}

output "infrastructure" {
  description = "What the workloads stand on."
  value       = module.infrastructure
}

output "open" {
  description = "The chat, once the workloads run."
  value       = "https://${var.domain}"
}

output "kubeconfig" {
  description = "What makes kubectl speak with the cluster."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.infrastructure.cluster.name}"
}
