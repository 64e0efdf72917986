variable "name" {
  description = "What everything is called."
  type        = string
}

variable "environment" {
  description = "The environment: the secret is called `blabber-hive/<environment>`."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "The data subnets, one for each zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "Data stands in three zones: a log of three brokers must not lose two with one of them."
  }
}

variable "node_security_group_id" {
  description = "The nodes' group: nobody else is let in."
  type        = string
}

variable "protected" {
  description = "Whether the database refuses to be deleted, and secrets can be had back for a month."
  type        = bool
}

variable "restic_password" {
  description = "What backups are encrypted with; it outlives everything here."
  type        = string
  sensitive   = true
}

variable "supabase_jwt_secret" {
  description = "The shared secret of an older Supabase project, if one signs people in."
  type        = string
  default     = ""
  sensitive   = true

  validation {
    condition     = var.supabase_jwt_secret == "" || length(var.supabase_jwt_secret) >= 32
    error_message = "A secret that tokens are signed with has at least 32 bytes."
  }
}

variable "postgres" {
  description = "PostgreSQL: its kind of machine, its disk and how far that may grow, whether a second one stands by in another zone, and for how many days AWS can bring back any moment."
  type = object({
    instance_class        = string
    storage_gibibytes     = number
    storage_gibibytes_max = number
    multi_az              = bool
    backup_days           = number
  })

  validation {
    condition     = var.postgres.backup_days >= 1 && var.postgres.backup_days <= 35
    error_message = "RDS keeps backups from 1 to 35 days; none is not to be had here."
  }
  validation {
    condition     = var.postgres.storage_gibibytes >= 20 && var.postgres.storage_gibibytes_max > var.postgres.storage_gibibytes
    error_message = "The disk has at least 20 GiB and room to grow."
  }
}

variable "postgres_version" {
  description = "The major version of PostgreSQL; RDS chooses the minor one and moves it by itself."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[7-9]$", var.postgres_version))
    error_message = "PostgreSQL is at least 17, what our tests and backups use, and named by its major version alone."
  }
}

variable "redis" {
  description = "Valkey: its kind of machine, in how many shards, and how many others stand by for each."
  type        = object({ node_type = string, shards = number, replicas = number })

  validation {
    condition     = var.redis.shards >= 1 && var.redis.shards <= 16
    error_message = "From 1 to 16 shards: rooms are spread over 16."
  }
  validation {
    condition     = var.redis.replicas >= 1 && var.redis.replicas <= 5
    error_message = "At least one stands by, at most five."
  }
}

variable "kafka" {
  description = "Kafka: its kind of machine, the disk of each broker and how far that may grow."
  type        = object({ instance_type = string, storage_gibibytes = number, storage_gibibytes_max = number })

  validation {
    condition     = startswith(var.kafka.instance_type, "kafka.")
    error_message = "Kinds of brokers begin with \"kafka.\"."
  }
  validation {
    condition     = var.kafka.storage_gibibytes_max >= var.kafka.storage_gibibytes
    error_message = "A disk grows; it never shrinks."
  }
}

variable "kafka_version" {
  description = "The version of Kafka, without ZooKeeper."
  type        = string
  default     = "4.0.x.kraft"

  validation {
    condition     = endswith(var.kafka_version, ".kraft")
    error_message = "Kafka runs in KRaft mode: the version ends in \".kraft\"."
  }
}

variable "log_days" {
  description = "For how long the logs of the services are kept."
  type        = number
  default     = 30
}
