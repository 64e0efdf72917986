# What the servers keep things in: PostgreSQL, Valkey (Redis) and Kafka, each with copies in other zones, spoken to with TLS
# and a password, encrypted on its disks, and reached by nobody but the nodes.

resource "aws_kms_key" "main" {
  description             = "Data and passwords of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "main" {
  name          = "alias/${var.name}-data"
  target_key_id = aws_kms_key.main.key_id
}

locals {
  # Kafka asks for SASL/SCRAM over TLS there.
  ports = { postgres = 5432, redis = 6379, kafka = 9096 }

  secret_recovery_days = var.protected ? 30 : 0
}

resource "aws_security_group" "service" {
  for_each = local.ports

  name_prefix = "${var.name}-${each.key}-"
  description = "${each.key} of ${var.name}: from its nodes alone"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${each.key}" }

  lifecycle {
    create_before_destroy = true
  }
}

# No rule lets anything out: none of them has anybody to call.
resource "aws_vpc_security_group_ingress_rule" "service" {
  for_each = local.ports

  security_group_id            = aws_security_group.service[each.key].id
  description                  = "From the nodes"
  referenced_security_group_id = var.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}
