# What a chat stands on, in AWS: network, cluster, data, images, names. The cluster is empty afterwards; the stack workloads
# fills it, from a state of its own (docs/decisions/0020).

locals {
  name = "blabber-hive-${var.environment}"

  elsewhere = var.frontend != "binary" # the client
  api_host  = local.elsewhere ? "api.${var.domain}" : var.domain
}

module "network" {
  source = "../../modules/network"

  name                = local.name
  cidr                = var.network.cidr
  nat                 = var.network.nat
  interface_endpoints = var.network.interface_endpoints
  flow_logs_days      = var.log_days
}

module "cluster" {
  source = "../../modules/cluster"

  name               = local.name
  kubernetes_version = var.cluster.kubernetes_version
  subnet_ids         = module.network.private_subnet_ids
  operators          = var.operators
  admins             = var.admins
  architecture       = var.cluster.architecture
  instance_types     = var.cluster.instance_types
  nodes              = var.cluster.nodes
  log_days           = var.log_days
}

module "data" {
  source = "../../modules/data"

  name                   = local.name
  environment            = var.environment
  vpc_id                 = module.network.vpc_id
  subnet_ids             = module.network.data_subnet_ids
  node_security_group_id = module.cluster.node_security_group_id
  protected              = !var.disposable
  postgres               = var.postgres
  redis                  = var.redis
  kafka                  = var.kafka
  restic_password        = var.restic_password
  supabase_jwt_secret    = var.supabase_jwt_secret
  log_days               = var.log_days
}

module "registry" {
  source = "../../modules/registry"

  prefix     = local.name
  disposable = var.disposable
}

module "frontend" {
  source = "../../modules/frontend"
  count  = local.elsewhere ? 1 : 0

  name                  = local.name
  host                  = var.frontend
  domain                = var.domain
  api                   = "https://${local.api_host}"
  connect               = var.supabase == null ? [] : [var.supabase.url]
  hosted_zone_id        = var.hosted_zone_id
  certificate_arn       = var.frontend_certificate_arn
  cloudflare_account_id = var.cloudflare_account_id
}

# The load balancer's certificate. Its name is written by external-dns, which knows where the load balancer is.
resource "aws_acm_certificate" "api" {
  count = var.certificate_arn == null ? 1 : 0

  domain_name       = local.api_host
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  count = var.certificate_arn == null ? 1 : 0

  # A certificate of one name has one option.
  zone_id         = var.hosted_zone_id
  name            = tolist(aws_acm_certificate.api[0].domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.api[0].domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.api[0].domain_validation_options)[0].resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "api" {
  count = var.certificate_arn == null ? 1 : 0

  certificate_arn         = aws_acm_certificate.api[0].arn
  validation_record_fqdns = [aws_route53_record.validation[0].fqdn]
}
