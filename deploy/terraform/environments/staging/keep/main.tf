# What outlives the chat of staging, and `make down`.

terraform {
  required_version = "~> 1.11"

  # Its bucket and region come from `make up` (-backend-config).
  backend "s3" {
    key          = "staging/keep.tfstate"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

variable "region" {
  description = "The region."
  type        = string
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "blabber-hive", environment = "staging", made-by = "terraform" }
  }
}

module "backups" {
  source = "../../../modules/backups"

  name          = "blabber-hive-staging"
  versions_days = 14
}

output "backups" {
  description = "The bucket of the backups."
  value = {
    bucket      = module.backups.bucket
    bucket_arn  = module.backups.bucket_arn
    kms_key_arn = module.backups.kms_key_arn
  }
}

output "restic_password" {
  description = "Keep a copy elsewhere: without it there are no backups."
  value       = module.backups.restic_password
  sensitive   = true
}
