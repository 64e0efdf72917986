# The log: what it has acknowledged must be there. Three brokers in three zones, two of which have each message.

resource "random_password" "kafka" {
  length  = 48
  special = false
}

resource "aws_msk_configuration" "main" {
  name           = var.name
  kafka_versions = [var.kafka_version]

  # `migrate` makes the topics as they have to be, and servers check them. This is for whatever else is made.
  server_properties = <<-PROPERTIES
    auto.create.topics.enable=false
    default.replication.factor=3
    min.insync.replicas=2
    unclean.leader.election.enable=false
    offsets.topic.replication.factor=3
    transaction.state.log.replication.factor=3
    transaction.state.log.min.isr=2
  PROPERTIES

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "kafka" {
  name              = "/msk/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_msk_cluster" "main" {
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = 3
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"

  configuration_info {
    arn      = aws_msk_configuration.main.arn
    revision = aws_msk_configuration.main.latest_revision
  }

  broker_node_group_info {
    instance_type   = var.kafka.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.service["kafka"].id, aws_security_group.brokers.id]

    storage_info {
      ebs_storage_info {
        volume_size = var.kafka.storage_gibibytes
      }
    }
  }

  client_authentication {
    unauthenticated = false

    sasl {
      scram = true
      iam   = false
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = aws_kms_key.main.arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.kafka.name
      }
    }
  }

  lifecycle {
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size] # it grows by itself, below
  }
}

# Brokers among themselves.
resource "aws_security_group" "brokers" {
  name_prefix = "${var.name}-brokers-"
  description = "Brokers of ${var.name}: each other"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-brokers" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "brokers" {
  security_group_id            = aws_security_group.brokers.id
  description                  = "From each other"
  referenced_security_group_id = aws_security_group.brokers.id
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "brokers" {
  security_group_id            = aws_security_group.brokers.id
  description                  = "To each other"
  referenced_security_group_id = aws_security_group.brokers.id
  ip_protocol                  = "-1"
}

# A full disk stops the log, and with it the chat: at 60 % it is given more.
resource "aws_appautoscaling_target" "kafka" {
  service_namespace  = "kafka"
  resource_id        = aws_msk_cluster.main.arn
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  min_capacity       = 1
  max_capacity       = var.kafka.storage_gibibytes_max
}

resource "aws_appautoscaling_policy" "kafka" {
  name               = "${var.name}-broker-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.kafka.service_namespace
  resource_id        = aws_appautoscaling_target.kafka.resource_id
  scalable_dimension = aws_appautoscaling_target.kafka.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value     = 60
    disable_scale_in = true # disks do not shrink

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}

# MSK reads who may sign in from a secret of its own, whose name begins so and whose key is not AWS's.
resource "aws_secretsmanager_secret" "kafka" {
  name_prefix             = "AmazonMSK_${var.name}-" # a deleted one keeps its name until it can no longer be restored
  description             = "Who may speak with the brokers of ${var.name}"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = local.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "kafka" {
  secret_id     = aws_secretsmanager_secret.kafka.id
  secret_string = jsonencode({ username = "hive", password = random_password.kafka.result })
}

resource "aws_secretsmanager_secret_policy" "kafka" {
  secret_arn = aws_secretsmanager_secret.kafka.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ReadByMSK"
      Effect    = "Allow"
      Principal = { Service = "kafka.amazonaws.com" }
      Action    = "secretsmanager:getSecretValue"
      Resource  = aws_secretsmanager_secret.kafka.arn
    }]
  })
}

resource "aws_msk_single_scram_secret_association" "main" {
  cluster_arn = aws_msk_cluster.main.arn
  secret_arn  = aws_secretsmanager_secret.kafka.arn

  depends_on = [aws_secretsmanager_secret_version.kafka, aws_secretsmanager_secret_policy.kafka]
}
