output "name" {
  description = "What the cluster is called."
  value       = aws_eks_cluster.main.name
}

output "endpoint" {
  description = "Where its API is."
  value       = aws_eks_cluster.main.endpoint
}

output "certificate_authority" {
  description = "Who signs the API's certificate, in base64."
  value       = aws_eks_cluster.main.certificate_authority[0].data
}

output "node_security_group_id" {
  description = "The group of all nodes, and so of all pods: EKS's own."
  value       = aws_eks_cluster.main.vpc_config[0].cluster_security_group_id
}

output "architecture" {
  description = "What images have to be built for."
  value       = var.architecture
}
