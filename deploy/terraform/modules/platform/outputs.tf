output "roles" {
  description = "The roles of those who act on AWS, by what they do."
  value       = { for name, role in aws_iam_role.main : name => role.arn }
}
