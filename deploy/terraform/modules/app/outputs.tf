output "layer" {
  description = "What Terraform adds to the overlay, as the file that it has written."
  value       = local.layer
}

output "manifests" {
  description = "A checksum of all manifests: another one is rolled out."
  value       = local.manifests
}
