# Valkey is what Redis was until 7.2, and what Amazon develops: a fifth cheaper. We need Redis 7.0. In cluster mode even with
# one shard: our client follows a slot that has moved, so after a failover it is where the new primary is at once.

resource "random_password" "redis" {
  length  = 64
  special = false
}

resource "aws_elasticache_subnet_group" "main" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "main" {
  name        = "${var.name}-valkey8"
  family      = "valkey8"
  description = "As compose.yaml has it, in cluster mode"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }

  parameter {
    name  = "maxmemory-policy"
    value = "volatile-lru"
  }
}

resource "aws_cloudwatch_log_group" "redis" {
  name              = "/elasticache/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_elasticache_replication_group" "main" {
  replication_group_id = var.name
  description          = "What servers of ${var.name} share"
  engine               = "valkey"
  engine_version       = "8.0"
  node_type            = var.redis.node_type
  parameter_group_name = aws_elasticache_parameter_group.main.name
  port                 = local.ports.redis

  num_node_groups            = var.redis.shards
  replicas_per_node_group    = var.redis.replicas
  automatic_failover_enabled = true
  multi_az_enabled           = true

  subnet_group_name  = aws_elasticache_subnet_group.main.name
  security_group_ids = [aws_security_group.service["redis"].id]

  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.main.arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = random_password.redis.result
  auth_token_update_strategy = "ROTATE" # the old one holds until pods have the new one

  snapshot_retention_limit   = 0 # nothing durable rests on it (docs/cluster.md)
  maintenance_window         = "sun:04:30-sun:05:30"
  auto_minor_version_upgrade = true
  apply_immediately          = !var.protected

  log_delivery_configuration {
    log_type         = "engine-log"
    log_format       = "json"
    destination_type = "cloudwatch-logs"
    destination      = aws_cloudwatch_log_group.redis.name
  }
}
