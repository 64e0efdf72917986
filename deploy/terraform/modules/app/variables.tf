variable "layer" {
  description = "A folder of this machine's for what Terraform adds to the overlay, absolute; written anew each time."
  type        = string
}

variable "overlay" {
  description = "The overlay of deploy/k8s that is rolled out: `local` or `eks`."
  type        = string

  validation {
    condition     = contains(["local", "eks"], var.overlay)
    error_message = "The overlay is \"local\" or \"eks\"."
  }
  validation {
    condition     = (var.overlay == "eks") == (var.eks != null)
    error_message = "The overlay eks needs what only AWS knows, and no other one does."
  }
}

variable "k8s" {
  description = "The folder deploy/k8s as seen from the layer: kustomize takes no absolute paths."
  type        = string
}

variable "context" {
  description = "One of kubectl's contexts, without an EKS cluster. Null is the current one."
  type        = string
  default     = null
}

variable "images" {
  description = "What is run in place of our images `blabber-hive` and `sentiment-analysis`, by these names. Without one, what the overlay says."
  type        = map(object({ repository = string, tag = string }))
  default     = {}

  validation {
    condition     = alltrue([for image in values(var.images) : image.tag != "" && image.tag != "latest"])
    error_message = "An image has a tag that means one image: not \"latest\", which nobody can roll back to."
  }
}

variable "config" {
  description = "Variables of the servers that only this place knows, by name. No secrets: they come by External Secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = !anytrue([for name in keys(var.config) : can(regex("PASSWORD|SECRET|DATABASE_URL|REDIS_URL", name))])
    error_message = "Passwords, and addresses that contain one, belong into the secret."
  }
}

variable "replicas" {
  description = "How many gateways and sequencers there are at least and at most, by `gateway` and `sequencer`, where autoscaling decides. Without one, what the overlay says."
  type        = map(object({ min = number, max = number }))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.replicas), ["gateway", "sequencer"])) == 0
    error_message = "Only gateway and sequencer are scaled."
  }
  validation {
    condition     = alltrue([for replicas in values(var.replicas) : replicas.min >= 2 && replicas.max >= replicas.min])
    error_message = "At least two, so that one can go while the other serves."
  }
}

variable "eks" {
  description = "What the overlay eks only has examples for: cluster, region and network; the load balancer's name and certificate; the secret of Secrets Manager; who signs the database's certificate, as PEM; the brokers; the bucket of the backups."
  type = object({
    cluster         = string
    region          = string
    cidr            = string
    host            = string
    certificate_arn = string
    secret          = string
    database_ca     = string
    kafka_brokers   = string
    backup_bucket   = string
  })
  default = null

  validation {
    condition     = var.eks == null || can(regex("^\\s*-----BEGIN CERTIFICATE-----", var.eks.database_ca))
    error_message = "Who signs the database's certificate is a certificate, in PEM."
  }
}

variable "patience" {
  description = "How long each step of a rollout may take."
  type        = string
  default     = "15m"

  validation {
    condition     = can(regex("^[0-9]+[smh]$", var.patience))
    error_message = "Patience is written like 15m."
  }
}
