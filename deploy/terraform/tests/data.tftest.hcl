# Data: encrypted everywhere, by TLS and password only, from the nodes only, with copies, and nothing of it in outputs.

mock_provider "aws" {
  source = "./tests/aws"
}

mock_provider "random" {}

variables {
  name                   = "hive-test"
  environment            = "test"
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2", "subnet-3"]
  node_security_group_id = "sg-nodes"
  protected              = true
  restic_password        = "restic"

  postgres = {
    instance_class        = "db.t4g.medium"
    storage_gibibytes     = 20
    storage_gibibytes_max = 100
    multi_az              = true
    backup_days           = 14
  }

  redis = { node_type = "cache.t4g.small", shards = 1, replicas = 1 }
  kafka = { instance_type = "kafka.m7g.large", storage_gibibytes = 100, storage_gibibytes_max = 1000 }
}

run "who_is_let_in" {
  command = plan

  module {
    source = "./modules/data"
  }

  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.service :
      rule.referenced_security_group_id == "sg-nodes" && rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.from_port == rule.to_port
    ])
    error_message = "Others than the nodes are let in, or to more than one port."
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.service : name => rule.from_port } == { kafka = 9096, postgres = 5432, redis = 6379 }
    error_message = "A service is not let in to where it listens."
  }

  assert {
    condition     = aws_db_instance.main.publicly_accessible == false
    error_message = "The database has an address of the world."
  }
}

run "postgres" {
  command = plan

  module {
    source = "./modules/data"
  }

  assert {
    condition     = aws_db_instance.main.storage_encrypted && aws_db_instance.main.multi_az && aws_db_instance.main.deletion_protection
    error_message = "The database is not encrypted, alone, or easily gone."
  }

  assert {
    condition     = aws_db_instance.main.backup_retention_period == 14 && !aws_db_instance.main.skip_final_snapshot && !aws_db_instance.main.delete_automated_backups
    error_message = "Backups go with the database."
  }

  assert {
    condition     = contains([for parameter in aws_db_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "Passwords may travel without TLS."
  }

  assert {
    condition     = aws_db_parameter_group.main.family == "postgres17" && aws_db_instance.main.engine_version == "17"
    error_message = "It is another PostgreSQL than backups and tests have."
  }

  # Slow statements are logged; what people wrote is their parameters.
  assert {
    condition     = contains([for parameter in aws_db_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "log_parameter_max_length=0")
    error_message = "Messages get into the log of the database."
  }
}

run "redis" {
  command = plan

  module {
    source = "./modules/data"
  }

  assert {
    condition = (
      aws_elasticache_replication_group.main.at_rest_encryption_enabled == "true" &&
      aws_elasticache_replication_group.main.transit_encryption_enabled &&
      aws_elasticache_replication_group.main.transit_encryption_mode == "required"
    )
    error_message = "It is not encrypted."
  }

  assert {
    condition     = aws_elasticache_replication_group.main.automatic_failover_enabled && aws_elasticache_replication_group.main.multi_az_enabled && aws_elasticache_replication_group.main.replicas_per_node_group == 1
    error_message = "Nobody takes over."
  }

  assert {
    condition     = contains([for parameter in aws_elasticache_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "maxmemory-policy=volatile-lru")
    error_message = "Full memory is dealt with otherwise than in compose.yaml."
  }
}

run "kafka" {
  command = plan

  module {
    source = "./modules/data"
  }

  assert {
    condition     = aws_msk_cluster.main.number_of_broker_nodes == 3 && length(aws_msk_cluster.main.broker_node_group_info[0].client_subnets) == 3
    error_message = "There are not three brokers in three zones."
  }

  assert {
    condition = alltrue([
      for property in ["min.insync.replicas=2", "default.replication.factor=3", "unclean.leader.election.enable=false", "auto.create.topics.enable=false"] :
      contains(split("\n", aws_msk_configuration.main.server_properties), property)
    ])
    error_message = "What is acknowledged can be lost, or topics come from misspelling."
  }

  assert {
    condition = (
      aws_msk_cluster.main.encryption_info[0].encryption_in_transit[0].client_broker == "TLS" &&
      aws_msk_cluster.main.encryption_info[0].encryption_in_transit[0].in_cluster &&
      aws_msk_cluster.main.client_authentication[0].sasl[0].scram &&
      !aws_msk_cluster.main.client_authentication[0].unauthenticated
    )
    error_message = "Somebody gets in without TLS or a password."
  }

  assert {
    condition     = endswith(aws_msk_cluster.main.kafka_version, ".kraft") && startswith(aws_secretsmanager_secret.kafka.name_prefix, "AmazonMSK_")
    error_message = "It has ZooKeeper, or MSK does not read its secret."
  }

  assert {
    condition     = aws_appautoscaling_target.kafka.max_capacity == 1000 && aws_appautoscaling_policy.kafka.target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "A disk that fills stops the log."
  }
}

run "secrets" {
  command = plan

  module {
    source = "./modules/data"
  }

  assert {
    condition     = aws_secretsmanager_secret.main.name_prefix == "blabber-hive/test-" && aws_secretsmanager_secret.main.recovery_window_in_days == 30
    error_message = "The secret is not found, or gone at once."
  }

  assert {
    condition     = alltrue([for password in [random_password.postgres, random_password.redis, random_password.kafka, random_password.grafana] : password.length >= 32 && !password.special])
    error_message = "A password is short, or means something in a URL."
  }

  assert {
    condition     = alltrue([for output in [output.secret_properties, output.database_identifier] : !issensitive(output)])
    error_message = "An output knows a secret."
  }

  # External Secrets asks for these, by these names.
  assert {
    condition     = toset(output.secret_properties) == toset(flatten(regexall("property: ([A-Z_]+)", file("../k8s/overlays/eks/secrets.yaml"))))
    error_message = "The overlay asks for what is not in the secret, or something is in it that nobody asks for."
  }
}

# Applied with made-up values, to read what cannot be known before.
run "addresses_in_the_secret" {
  module {
    source = "./modules/data"
  }

  override_resource {
    target = aws_db_instance.main
    values = { address = "database.example.com", port = 5432 }
  }

  override_resource {
    target = aws_elasticache_replication_group.main
    values = { configuration_endpoint_address = "cache.example.com" }
  }

  override_resource {
    target = random_password.postgres
    values = { result = "p1" }
  }

  override_resource {
    target = random_password.redis
    values = { result = "p2" }
  }

  assert {
    condition     = startswith(jsondecode(aws_secretsmanager_secret_version.main.secret_string).DATABASE_URL, "postgres://hive:p1@database.example.com:5432/hive?sslmode=verify-full&")
    error_message = "The database's address is not one."
  }

  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.main.secret_string).REDIS_URL == "rediss://:p2@cache.example.com:6379"
    error_message = "The cache's address is not one by TLS."
  }

  assert {
    condition     = !strcontains(jsondecode(aws_secretsmanager_secret_version.main.secret_string).DATA_SOURCE_URI, "p1")
    error_message = "A password is where it is not looked for."
  }
}

run "a_disk_that_cannot_grow_is_refused" {
  command = plan

  module {
    source = "./modules/data"
  }

  variables {
    postgres = {
      instance_class        = "db.t4g.medium"
      storage_gibibytes     = 100
      storage_gibibytes_max = 100
      multi_az              = true
      backup_days           = 14
    }
  }

  expect_failures = [var.postgres]
}

run "no_backups_are_refused" {
  command = plan

  module {
    source = "./modules/data"
  }

  variables {
    postgres = {
      instance_class        = "db.t4g.medium"
      storage_gibibytes     = 20
      storage_gibibytes_max = 100
      multi_az              = true
      backup_days           = 0
    }
  }

  expect_failures = [var.postgres]
}

run "redis_alone_is_refused" {
  command = plan

  module {
    source = "./modules/data"
  }

  variables {
    redis = { node_type = "cache.t4g.small", shards = 1, replicas = 0 }
  }

  expect_failures = [var.redis]
}

run "zookeeper_is_refused" {
  command = plan

  module {
    source = "./modules/data"
  }

  variables {
    kafka_version = "3.6.0"
  }

  expect_failures = [var.kafka_version]
}

run "a_short_signing_secret_is_refused" {
  command = plan

  module {
    source = "./modules/data"
  }

  variables {
    supabase_jwt_secret = "short"
  }

  expect_failures = [var.supabase_jwt_secret]
}

run "an_older_postgres_is_refused" {
  command = plan

  module {
    source = "./modules/data"
  }

  variables {
    postgres_version = "16"
  }

  expect_failures = [var.postgres_version]
}
