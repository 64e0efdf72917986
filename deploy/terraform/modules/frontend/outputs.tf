output "host" {
  description = "Where the files go: `cloudfront` or `cloudflare`."
  value       = var.host
}

output "bucket" {
  description = "The bucket that they are copied to, with CloudFront."
  value       = one([for bucket in aws_s3_bucket.main : bucket.bucket])
}

output "distribution_id" {
  description = "The distribution that has to forget the old ones."
  value       = one([for distribution in aws_cloudfront_distribution.main : distribution.id])
}

output "project" {
  description = "The project that they are uploaded to, with Cloudflare Pages."
  value       = one([for project in cloudflare_pages_project.main : project.name])
}

output "target" {
  description = "What the domain has to point to, where no zone of ours does it."
  value = one(concat(
    [for distribution in aws_cloudfront_distribution.main : distribution.domain_name],
    [for project in cloudflare_pages_project.main : project.subdomain],
  ))
}
