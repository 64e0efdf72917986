output "open" {
  description = "The chat."
  value       = "https://${var.infrastructure.domain}"
}

output "layer" {
  description = "What Terraform adds to deploy/k8s/overlays/eks."
  value       = module.app.layer
}
