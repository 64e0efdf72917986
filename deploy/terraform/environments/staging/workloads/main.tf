# What runs in the cluster of staging.

terraform {
  required_version = "~> 1.11"

  # Its bucket and region come from `make up` (-backend-config).
  backend "s3" {
    key          = "staging/workloads.tfstate"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.1"
    }
    http = {
      source  = "hashicorp/http"
      version = "~> 3.5"
    }
  }
}

variable "region" {
  description = "The region."
  type        = string
}

variable "state_bucket" {
  description = "The bucket of the states."
  type        = string
}

variable "image_tag" {
  description = "Which of our images is run."
  type        = string
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "blabber-hive", environment = "staging", made-by = "terraform" }
  }
}

data "terraform_remote_state" "below" {
  for_each = toset(["keep", "infrastructure"])
  backend  = "s3"

  config = {
    bucket = var.state_bucket
    key    = "staging/${each.key}.tfstate"
    region = var.region
  }
}

locals {
  infrastructure = data.terraform_remote_state.below["infrastructure"].outputs.infrastructure
  cluster        = local.infrastructure.cluster
}

provider "helm" {
  kubernetes = {
    host                   = local.cluster.endpoint
    cluster_ca_certificate = base64decode(local.cluster.certificate_authority)

    # A token of some minutes, drawn for each run: nothing that opens the cluster is kept.
    exec = {
      api_version = "client.authentication.k8s.io/v1beta1"
      command     = "aws"
      args        = ["eks", "get-token", "--region", var.region, "--cluster-name", local.cluster.name]
    }
  }
}

module "workloads" {
  source = "../../../stacks/workloads"

  region         = var.region
  image_tag      = var.image_tag
  infrastructure = local.infrastructure
  backups        = data.terraform_remote_state.below["keep"].outputs.backups
  controllers    = 1
  layer          = "${abspath(path.root)}/.layer"

  replicas = {
    gateway   = { min = 2, max = 4 }
    sequencer = { min = 2, max = 3 }
  }
}

output "open" {
  description = "The chat."
  value       = module.workloads.open
}

output "layer" {
  description = "What Terraform adds to deploy/k8s/overlays/eks."
  value       = module.workloads.layer
}
