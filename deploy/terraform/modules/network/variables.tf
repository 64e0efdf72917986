variable "name" {
  description = "What everything is called, and tagged with as the cluster's own."
  type        = string
}

variable "cidr" {
  description = "The addresses of the network. Pods have addresses of it, too."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(regex("^(10[.]|192[.]168[.]|172[.](1[6-9]|2[0-9]|3[01])[.])", var.cidr))
    error_message = "The addresses are private ones: the manifests take all others for the world."
  }
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr)[1]), 32) <= 18
    error_message = "The network is from /16 to /18: it is cut into twelve parts, and pods take addresses of it."
  }
}

variable "nat" {
  description = "How the private zones reach out: `zone`, each by a gateway of its own, or `one`, all by a single one, which is cheaper and dies with its zone."
  type        = string

  validation {
    condition     = contains(["zone", "one"], var.nat)
    error_message = "NAT is \"zone\" or \"one\"."
  }
}

variable "interface_endpoints" {
  description = "Services of AWS that are reached without leaving the network, like `ecr.api`. Each costs by the hour and zone; S3 is always there, for nothing."
  type        = set(string)
  default     = []
}

variable "flow_logs_days" {
  description = "For how long it is kept who spoke with whom."
  type        = number
  default     = 30
}
