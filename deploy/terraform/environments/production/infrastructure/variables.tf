# What is yours: write it into terraform.tfvars beside this file (example.tfvars is a beginning). The stack checks it.

variable "region" {
  description = "The region."
  type        = string
}

variable "state_bucket" {
  description = "The bucket of the states."
  type        = string
}

variable "domain" {
  description = "The address that people type."
  type        = string
}

variable "hosted_zone_id" {
  description = "The Route 53 zone that it is in."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "A certificate of ACM, if there is no zone."
  type        = string
  default     = null
}

variable "operators" {
  description = "Networks from which the cluster is operated."
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
}

variable "supabase" {
  description = "A Supabase project that signs people in."
  type        = object({ url = string, anon_key = string })
  default     = null
}

variable "supabase_jwt_secret" {
  description = "The shared secret of an older project; better in the environment, as TF_VAR_supabase_jwt_secret."
  type        = string
  default     = ""
  sensitive   = true
}

variable "frontend" {
  description = "Where the web client comes from: `binary`, `cloudfront` or `cloudflare`."
  type        = string
  default     = "binary"
}

variable "frontend_certificate_arn" {
  description = "A certificate in us-east-1, for CloudFront without a zone."
  type        = string
  default     = null
}

variable "cloudflare_account_id" {
  description = "The account of Cloudflare Pages."
  type        = string
  default     = null
}

variable "cloudflare_api_token" {
  description = "A token that may edit Pages; better in the environment, as TF_VAR_cloudflare_api_token. The zeros are for who does not use it: the provider wants something that looks like one."
  type        = string
  default     = "0000000000000000000000000000000000000000"
  sensitive   = true

  validation {
    condition     = var.frontend != "cloudflare" || can(regex("[^0]", var.cloudflare_api_token))
    error_message = "Cloudflare Pages needs cloudflare_api_token."
  }
}
