# Staging: the same code as production, as small as the services come, and gone without a fight.

terraform {
  required_version = "~> 1.11"

  # Its bucket and region come from `make up` (-backend-config).
  backend "s3" {
    key          = "staging/infrastructure.tfstate"
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
  tags = { project = "blabber-hive", environment = "staging", made-by = "terraform" }
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
    key    = "staging/keep.tfstate"
    region = var.region
  }
}

module "infrastructure" {
  source = "../../../stacks/infrastructure"

  environment = "staging"
  disposable  = true

  network = {
    cidr = "10.20.0.0/16"
    nat  = "one" # dies with its zone; a third of the price
  }

  cluster = {
    instance_types = ["t3.large", "t3a.large"]
    nodes          = { min = 1, max = 2 }
  }

  postgres = {
    instance_class        = "db.t4g.medium"
    storage_gibibytes     = 20
    storage_gibibytes_max = 100
    multi_az              = false
    backup_days           = 3
  }

  redis = { node_type = "cache.t4g.small", shards = 1, replicas = 1 }
  kafka = { instance_type = "kafka.t3.small", storage_gibibytes = 20, storage_gibibytes_max = 100 }

  log_days = 14

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
