variable "environment" {
  description = "Which chat this is, like `staging`. Everything is called by it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,12}[a-z0-9]$", var.environment))
    error_message = "The environment is 3 to 14 lower-case letters, digits and hyphens: buckets are called by it, whose names are short."
  }
}

variable "disposable" {
  description = "Whether this may go as quickly as it came: no protection against deletion, no last month of secrets, images go along."
  type        = bool
}

variable "domain" {
  description = "The address that people type, like `chat.example.com`."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "The domain is a name like chat.example.com, without https://."
  }
}

variable "hosted_zone_id" {
  description = "The Route 53 zone that the domain is in: names and certificates are then made by themselves."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || can(regex("^Z[A-Z0-9]+$", var.hosted_zone_id))
    error_message = "A zone's ID begins with Z."
  }
  validation {
    condition     = var.hosted_zone_id != null || var.certificate_arn != null
    error_message = "Give hosted_zone_id, or certificate_arn: people's passwords are not sent without TLS."
  }
}

variable "certificate_arn" {
  description = "A certificate of ACM for the load balancer's name, in this region, if there is no zone to prove one by."
  type        = string
  default     = null
}

variable "frontend" {
  description = "Where the web client comes from: `binary`, as the servers have it, `cloudfront` or `cloudflare`. With the latter two the servers are at api.<domain>."
  type        = string
  default     = "binary"

  validation {
    condition     = contains(["binary", "cloudfront", "cloudflare"], var.frontend)
    error_message = "The frontend is \"binary\", \"cloudfront\" or \"cloudflare\"."
  }
}

variable "frontend_certificate_arn" {
  description = "A certificate in us-east-1 for the domain, for CloudFront without a zone."
  type        = string
  default     = null
}

variable "cloudflare_account_id" {
  description = "The account of Cloudflare Pages."
  type        = string
  default     = null
}

variable "operators" {
  description = "Networks from which the cluster is operated, like `203.0.113.7/32`."
  type        = list(string)
}

variable "admins" {
  description = "ARNs of who else may do everything in the cluster."
  type        = set(string)
  default     = []
}

variable "signup" {
  description = "Whether strangers may make accounts: `open` or `closed`."
  type        = string
  default     = "open"

  validation {
    condition     = contains(["open", "closed"], var.signup)
    error_message = "Sign-up is \"open\" or \"closed\"."
  }
}

variable "supabase" {
  description = "A Supabase project that signs people in: its URL and its public key (docs/operations.md)."
  type        = object({ url = string, anon_key = string })
  default     = null
}

variable "supabase_jwt_secret" {
  description = "The shared secret of an older project."
  type        = string
  default     = ""
  sensitive   = true
}

variable "network" {
  description = "The network's addresses, its ways out, and services of AWS that are reached inside."
  type = object({
    cidr                = string
    nat                 = string
    interface_endpoints = optional(set(string), [])
  })
}

variable "cluster" {
  description = "The version of Kubernetes, and the nodes of each zone."
  type = object({
    kubernetes_version = optional(string, "1.35")
    architecture       = optional(string, "amd64")
    instance_types     = list(string)
    nodes              = object({ min = number, max = number })
  })
}

variable "postgres" {
  description = "The size of PostgreSQL, as the module data has it."
  type = object({
    instance_class        = string
    storage_gibibytes     = number
    storage_gibibytes_max = number
    multi_az              = bool
    backup_days           = number
  })
}

variable "redis" {
  description = "The size of Valkey."
  type        = object({ node_type = string, shards = number, replicas = number })
}

variable "kafka" {
  description = "The size of Kafka."
  type        = object({ instance_type = string, storage_gibibytes = number, storage_gibibytes_max = number })
}

variable "log_days" {
  description = "For how long logs are kept."
  type        = number
  default     = 30
}

variable "restic_password" {
  description = "What backups are encrypted with."
  type        = string
  sensitive   = true
}
