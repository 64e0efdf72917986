output "name" {
  description = "What everything is called."
  value       = local.name
}

output "protected" {
  description = "Whether it refuses to be taken away."
  value       = !var.disposable
}

output "copies" {
  description = "How many there are of each part, and so which of them outlive the loss of a zone."
  value       = merge(module.data.copies, { nodes = 3 * var.cluster.nodes.min, ways_out = module.network.ways_out })
}

output "domain" {
  description = "The address that people type."
  value       = var.domain
}

output "hosted_zone_id" {
  description = "The zone of the domain, or null."
  value       = var.hosted_zone_id
}

output "ingress" {
  description = "The load balancer's name and certificate."
  value = {
    host            = local.api_host
    certificate_arn = var.certificate_arn != null ? var.certificate_arn : aws_acm_certificate_validation.api[0].certificate_arn
  }
}

output "vpc" {
  description = "The network."
  value       = { id = module.network.vpc_id, cidr = module.network.cidr }
}

output "cluster" {
  description = "The cluster, and how it is reached."
  value = {
    name                  = module.cluster.name
    endpoint              = module.cluster.endpoint
    certificate_authority = module.cluster.certificate_authority
    architecture          = module.cluster.architecture
  }
}

output "secret" {
  description = "The secret of the pods: its name and key, nothing of what is in it."
  value = {
    name        = module.data.secret_name
    arn         = module.data.secret_arn
    kms_key_arn = module.data.kms_key_arn
  }
}

output "kafka_brokers" {
  description = "The brokers."
  value       = module.data.kafka_brokers
}

output "repositories" {
  description = "Where our images are, by name."
  value       = module.registry.urls
}

output "frontend" {
  description = "Where the client is uploaded to, if not in the binary, and where its name has to point."
  value = local.elsewhere ? {
    host            = module.frontend[0].host
    api             = "https://${local.api_host}"
    connect         = var.supabase == null ? "" : var.supabase.url
    bucket          = module.frontend[0].bucket
    distribution_id = module.frontend[0].distribution_id
    project         = module.frontend[0].project
    target          = module.frontend[0].target
  } : null
}

# What servers are told that is no secret.
output "config" {
  description = "Variables of the servers."
  value = merge(
    {
      PUBLIC_URL      = "https://${var.domain}"
      ALLOWED_ORIGINS = local.elsewhere ? "https://${local.api_host}" : ""
      SIGNUP          = var.signup
    },
    var.supabase == null ? {} : {
      SUPABASE_URL      = var.supabase.url
      SUPABASE_ANON_KEY = var.supabase.anon_key
    },
  )
}
