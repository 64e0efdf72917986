variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "region" {
  description = "Its region."
  type        = string
}

variable "vpc_id" {
  description = "Its network."
  type        = string
}

variable "namespace" {
  description = "The chat's namespace."
  type        = string
  default     = "blabber-hive"
}

variable "replicas" {
  description = "How many of each controller run: 2 outlive a node."
  type        = number
  default     = 2

  validation {
    condition     = var.replicas >= 1 && var.replicas <= 3
    error_message = "From 1 to 3: one of them works, the others wait."
  }
}

variable "secret" {
  description = "The secret that External Secrets may read, and its key."
  type        = object({ arn = string, kms_key_arn = string })
}

variable "backups" {
  description = "The bucket that backups may be written to, and its key."
  type        = object({ bucket_arn = string, kms_key_arn = string })
}

variable "hosted_zone_id" {
  description = "The Route 53 zone in which the load balancer's name is written. Null is none."
  type        = string
  default     = null
}

variable "domain" {
  description = "The name that external-dns may write, with everything below it."
  type        = string
}

variable "adapter_values" {
  description = "What the adapter makes of Prometheus' metrics for the autoscalers: a file of Helm values."
  type        = string
}

variable "chart_versions" {
  description = "Versions of charts, by name; each of them is moved on purpose."
  type        = map(string)
  default     = {}
}
