variable "region" {
  description = "The region."
  type        = string
}

variable "image_tag" {
  description = "Which of our images is run: as scripts/up.sh has pushed it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "The tag is one that an image can have, and means one image: not \"latest\"."
  }
}

variable "infrastructure" {
  description = "What the stack infrastructure has made: its outputs."
  type = object({
    name           = string
    domain         = string
    hosted_zone_id = string
    ingress        = object({ host = string, certificate_arn = string })
    vpc            = object({ id = string, cidr = string })
    cluster        = object({ name = string })
    secret         = object({ name = string, arn = string, kms_key_arn = string })
    kafka_brokers  = string
    repositories   = map(string)
    config         = map(string)
  })
}

variable "backups" {
  description = "The bucket of the backups: outputs of the module backups."
  type        = object({ bucket = string, bucket_arn = string, kms_key_arn = string })
}

variable "controllers" {
  description = "How many of each controller of the platform run."
  type        = number
}

variable "replicas" {
  description = "How many gateways and sequencers there are at least and at most. Without one, what the overlay says."
  type        = map(object({ min = number, max = number }))
  default     = {}
}

variable "layer" {
  description = "Where the layer on top of the overlay is written, absolute."
  type        = string
}
