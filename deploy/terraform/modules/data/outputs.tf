output "secret_name" {
  description = "The secret with what pods need to know."
  value       = aws_secretsmanager_secret.main.name
}

output "secret_arn" {
  description = "Its ARN."
  value       = aws_secretsmanager_secret.main.arn
}

output "secret_properties" {
  description = "The names, not the values, of what is in it."
  value       = nonsensitive(keys(local.secret))
}

output "kms_key_arn" {
  description = "The key of data and passwords."
  value       = aws_kms_key.main.arn
}

output "kafka_brokers" {
  description = "The brokers: SASL/SCRAM over TLS."
  value       = aws_msk_cluster.main.bootstrap_brokers_sasl_scram
}

output "database_identifier" {
  description = "The database, for its console and its snapshots."
  value       = aws_db_instance.main.identifier
}

output "copies" {
  description = "How many of each there are, in as many zones."
  value = {
    postgres = aws_db_instance.main.multi_az ? 2 : 1
    redis    = 1 + aws_elasticache_replication_group.main.replicas_per_node_group
    kafka    = aws_msk_cluster.main.number_of_broker_nodes
  }
}
