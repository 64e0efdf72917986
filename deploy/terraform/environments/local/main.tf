# The chat in a cluster on this machine: kind, minikube, k3d, Docker Desktop, or whatever kubectl speaks with. Everything is in
# the cluster. The state is a file beside this one: it knows no secrets, and nobody else needs it.

terraform {
  required_version = "~> 1.11"

  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.38"
    }
  }
}

variable "kubeconfig" {
  description = "The file that kubectl reads."
  type        = string
  default     = "~/.kube/config"
}

variable "context" {
  description = "One of its contexts. Null is the current one."
  type        = string
  default     = null
}

variable "images" {
  description = "Our images, if not blabber-hive:v1 and sentiment-analysis:v1 as `make images` builds them."
  type        = map(object({ repository = string, tag = string }))
  default     = {}
}

variable "config" {
  description = "Variables of the servers that are to be otherwise, like { SIGNUP = \"closed\" }."
  type        = map(string)
  default     = {}
}

provider "kubernetes" {
  config_path    = var.kubeconfig
  config_context = var.context
}

# Asks the cluster, so that a wrong context is known before anything is made.
data "kubernetes_server_version" "cluster" {
  lifecycle {
    postcondition {
      condition     = tonumber(regex("[0-9]+", self.minor)) >= 29
      error_message = "Kubernetes 1.29 or newer is needed; this one is ${self.version}."
    }
  }
}

# Passwords that nobody has to think of, once.
resource "terraform_data" "secrets" {
  provisioner "local-exec" {
    command     = "scripts/secrets.sh"
    working_dir = "${path.root}/../../../.."
  }
}

module "app" {
  source = "../../modules/app"

  layer   = "${abspath(path.root)}/.layer"
  overlay = "local"
  k8s     = "../../../../k8s" # from environments/local/.layer
  context = var.context
  images  = var.images
  config  = var.config

  depends_on = [data.kubernetes_server_version.cluster, terraform_data.secrets]
}

output "open" {
  description = "What makes the chat reachable from this machine, and where it is then."
  value       = "kubectl --namespace blabber-hive port-forward service/nginx 8001:80, then http://localhost:8001"
}
