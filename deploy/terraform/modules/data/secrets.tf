# One secret for all that pods need to know; External Secrets reads it property by property (deploy/k8s/overlays/eks).

resource "random_password" "grafana" {
  length  = 32
  special = false
}

locals {
  # Whom they speak with is proven by a certificate of Amazon's own authority, which the layer puts there (modules/app/eks.tf).
  postgres_tls     = "sslmode=verify-full&sslrootcert=/etc/database-ca/ca.pem"
  postgres_address = "${aws_db_instance.main.address}:${aws_db_instance.main.port}"
  redis_address    = "${aws_elasticache_replication_group.main.configuration_endpoint_address}:${local.ports.redis}"

  # The tests hold the overlay's names to these.
  secret = {
    DATABASE_URL        = "postgres://hive:${random_password.postgres.result}@${local.postgres_address}/hive?${local.postgres_tls}"
    REDIS_URL           = "rediss://:${random_password.redis.result}@${local.redis_address}"
    KAFKA_SASL_USERNAME = "hive"
    KAFKA_SASL_PASSWORD = random_password.kafka.result

    SUPABASE_JWT_SECRET = var.supabase_jwt_secret

    GF_SECURITY_ADMIN_PASSWORD = random_password.grafana.result
    RESTIC_PASSWORD            = var.restic_password

    # What the exporters call the same.
    DATA_SOURCE_URI  = "${local.postgres_address}/hive?${local.postgres_tls}"
    DATA_SOURCE_USER = "hive"
    DATA_SOURCE_PASS = random_password.postgres.result
    REDIS_ADDR       = "rediss://${local.redis_address}"
    REDIS_PASSWORD   = random_password.redis.result
  }
}

resource "aws_secretsmanager_secret" "main" {
  name_prefix             = "blabber-hive/${var.environment}-" # a deleted one keeps its name until it can no longer be restored
  description             = "What pods of ${var.name} need to know"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = local.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "main" {
  secret_id     = aws_secretsmanager_secret.main.id
  secret_string = jsonencode(local.secret)
}
