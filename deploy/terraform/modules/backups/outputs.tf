output "bucket" {
  description = "The bucket."
  value       = aws_s3_bucket.main.bucket
}

output "bucket_arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.main.arn
}

output "kms_key_arn" {
  description = "The key that its objects are encrypted with, beside restic's own encryption."
  value       = aws_kms_key.main.arn
}

output "restic_password" {
  description = "What backups are encrypted with before they leave a pod."
  value       = random_password.restic.result
  sensitive   = true
}
