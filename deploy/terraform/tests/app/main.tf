# The module app by itself, with values that stand nowhere else: applied for real by scripts/test-up.sh, with a kubectl that only
# writes down what it is asked, and by test/k8s, on a real API server. It needs no provider.

terraform {
  required_version = "~> 1.11"
}

variable "overlay" {
  description = "The overlay."
  type        = string
}

variable "tag" {
  description = "The tag of the images."
  type        = string
  default     = "v2"
}

variable "signup" {
  description = "Something to change."
  type        = string
  default     = "open"
}

locals {
  eks = {
    cluster         = "hive"
    region          = "eu-west-9"
    cidr            = "10.77.0.0/16"
    host            = "hive.example.org"
    certificate_arn = "arn:certificate"
    secret          = "blabber-hive/test"
    database_ca     = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
    kafka_brokers   = "k1.example.org:9096,k2.example.org:9096"
    backup_bucket   = "bucket"
  }
}

module "app" {
  source = "../../modules/app"

  layer    = "${abspath(path.module)}/.layer"
  k8s      = "../../../../k8s"
  overlay  = var.overlay
  patience = "5m"

  images = {
    blabber-hive       = { repository = "registry.example.org/blabber-hive", tag = var.tag }
    sentiment-analysis = { repository = "registry.example.org/sentiment-analysis", tag = var.tag }
  }

  config = {
    for name, value in { PUBLIC_URL = "https://hive.example.org", SIGNUP = var.signup, SUPABASE_URL = "https://id.example.org" } : name => value
    if var.overlay == "eks" || name != "SUPABASE_URL"
  }

  replicas = { gateway = { min = 5, max = 7 } }
  eks      = var.overlay == "eks" ? local.eks : null
}
