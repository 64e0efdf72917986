variable "prefix" {
  description = "What the names of the repositories begin with: two environments of one account do not share images."
  type        = string
}

variable "repositories" {
  description = "The images, by the names that scripts/images.sh gives them."
  type        = set(string)
  default     = ["blabber-hive", "sentiment-analysis"]
}

variable "kept" {
  description = "How many images are kept of each: as far as a rollback can go."
  type        = number
  default     = 30
}

variable "disposable" {
  description = "Whether the repositories may be deleted with images in them."
  type        = bool
  default     = false
}
