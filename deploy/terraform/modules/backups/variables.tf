variable "name" {
  description = "What bucket and key are called."
  type        = string
}

variable "versions_days" {
  description = "For how long what was deleted or overwritten can still be had. Backups are deleted by their retention and by whoever takes a pod over."
  type        = number
  default     = 30
}

variable "locked_days" {
  description = "For how long nobody, not even the account's owner, can delete a version; 0 is not at all. It cannot be taken back."
  type        = number
  default     = 0

  validation {
    condition     = var.locked_days >= 0 && var.locked_days <= var.versions_days
    error_message = "A lock ends before deleted versions are cleaned away, or cleaning would fail."
  }
}
