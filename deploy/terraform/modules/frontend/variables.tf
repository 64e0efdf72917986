variable "name" {
  description = "What everything is called."
  type        = string
}

variable "host" {
  description = "Where the client's files are: `cloudfront` (a bucket behind it) or `cloudflare` (Pages)."
  type        = string

  validation {
    condition     = contains(["cloudfront", "cloudflare"], var.host)
    error_message = "The client's host is \"cloudfront\" or \"cloudflare\"."
  }
}

variable "domain" {
  description = "The address that people type."
  type        = string
}

variable "api" {
  description = "The origin of the server, like `https://api.chat.example.com`."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+$", var.api))
    error_message = "The API is an origin like https://api.chat.example.com."
  }
}

variable "connect" {
  description = "Further origins that pages may call, like that of a Supabase project."
  type        = list(string)
  default     = []
}

variable "hosted_zone_id" {
  description = "The Route 53 zone of the domain. Without one nothing is written into DNS."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "A certificate in us-east-1 for the domain, if there is no zone to prove it by."
  type        = string
  default     = null
}

variable "cloudflare_account_id" {
  description = "The account of Cloudflare Pages."
  type        = string
  default     = null

  validation {
    condition     = var.host != "cloudflare" || var.cloudflare_account_id != null
    error_message = "Cloudflare Pages needs cloudflare_account_id."
  }
}

variable "disposable" {
  description = "Whether the bucket may be deleted with the client in it. It is built anew in a minute."
  type        = bool
  default     = true
}
