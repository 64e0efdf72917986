variable "name" {
  description = "What the cluster is called."
  type        = string
}

variable "kubernetes_version" {
  description = "The version of Kubernetes, like `1.35`. One at a time upwards; nodes follow by themselves."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "The version is written like 1.35."
  }
}

variable "subnet_ids" {
  description = "The private subnets, one for each zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "A cluster stands in three zones."
  }
}

variable "operators" {
  description = "Networks from which the cluster may be operated, like `203.0.113.7/32`. Empty is none: only from inside the network."
  type        = list(string)

  validation {
    condition     = alltrue([for network in var.operators : can(cidrhost(network, 0)) && !endswith(network, "/0")])
    error_message = "Operators are networks in CIDR notation, and never all addresses of the world."
  }
}

variable "admins" {
  description = "ARNs of the IAM roles and users who may do everything in the cluster, beside whoever made it."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.admins : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "Administrators are ARNs of IAM roles or users."
  }
}

variable "architecture" {
  description = "What nodes compute with: `amd64` or `arm64` (Graviton: a fifth cheaper; images have to be built for it)."
  type        = string
  default     = "amd64"

  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "The architecture is \"amd64\" or \"arm64\"."
  }
}

variable "instance_types" {
  description = "Kinds of nodes, the preferred one first; all of one size, which is what the autoscaler reckons with."
  type        = list(string)

  validation {
    condition     = length(var.instance_types) > 0
    error_message = "Name at least one kind of node."
  }
}

variable "nodes" {
  description = "How many nodes there are at least and at most in each zone."
  type        = object({ min = number, max = number })

  validation {
    condition     = var.nodes.min >= 1 && var.nodes.max >= var.nodes.min
    error_message = "Each zone has at least one node, and at most not less than at least."
  }
}

variable "disk_gibibytes" {
  description = "The disk of each node: images, logs and what pods write for the moment."
  type        = number
  default     = 40
}

variable "addon_versions" {
  description = "Versions of add-ons that are not to be what EKS recommends for its version of Kubernetes, by name."
  type        = map(string)
  default     = {}
}

variable "log_days" {
  description = "For how long the log of the control plane is kept."
  type        = number
  default     = 30
}
