locals {
  on_cloudfront = var.host == "cloudfront" ? toset(["cloudfront"]) : toset([])
  # Proven by the zone, or brought along.
  own_certificate = var.host == "cloudfront" && var.hosted_zone_id != null && var.certificate_arn == null ? toset(["certificate"]) : toset([])
}

resource "aws_s3_bucket" "main" {
  for_each = local.on_cloudfront

  bucket_prefix = "${var.name}-client-"
  force_destroy = var.disposable
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  for_each = local.on_cloudfront

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256" # it is all public; CloudFront needs no key then
    }
  }
}

resource "aws_s3_bucket_public_access_block" "main" {
  for_each = local.on_cloudfront

  bucket                  = aws_s3_bucket.main[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "main" {
  for_each = local.on_cloudfront

  bucket = aws_s3_bucket.main[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ReadByCloudFront"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.main[each.key].arn}/*"
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.main[each.key].arn } }
      },
      {
        Sid       = "OnlyTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.main[each.key].arn, "${aws_s3_bucket.main[each.key].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.main]
}

resource "aws_cloudfront_origin_access_control" "main" {
  for_each = local.on_cloudfront

  name                              = var.name
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# What `_redirects` says to other hosts.
resource "aws_cloudfront_function" "routes" {
  for_each = local.on_cloudfront

  name    = "${var.name}-routes"
  comment = "The page for each of the client's own addresses"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/routes.js")
}

# What `_headers` says to other hosts.
resource "aws_cloudfront_response_headers_policy" "main" {
  for_each = local.on_cloudfront

  name = var.name

  security_headers_config {
    content_security_policy {
      override                = true
      content_security_policy = local.content_security_policy
    }
    content_type_options {
      override = true
    }
    frame_options {
      override     = true
      frame_option = "DENY"
    }
    referrer_policy {
      override        = true
      referrer_policy = "same-origin"
    }
    strict_transport_security {
      override                   = true
      access_control_max_age_sec = 31536000
    }
  }

  custom_headers_config {
    items {
      header   = "Cross-Origin-Opener-Policy"
      value    = "same-origin"
      override = true
    }
    items {
      header   = "Permissions-Policy"
      value    = local.permissions_policy
      override = true
    }
  }
}

locals {
  # As scripts/web-static.mjs writes it; a test compares them.
  content_security_policy = join(" ", [
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self';",
    "connect-src ${join(" ", concat(["'self'", var.api, replace(var.api, "https://", "wss://")], var.connect))};",
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  ])
  permissions_policy = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"
}

data "aws_cloudfront_cache_policy" "optimized" {
  for_each = local.on_cloudfront

  name = "Managed-CachingOptimized" # what each object's Cache-Control says (scripts/up.sh)
}

resource "aws_cloudfront_distribution" "main" {
  for_each = local.on_cloudfront

  comment             = "The client of ${var.name}"
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  aliases             = [var.domain]
  default_root_object = "index.html"
  price_class         = "PriceClass_100"

  origin {
    origin_id                = "client"
    domain_name              = aws_s3_bucket.main[each.key].bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.main[each.key].id
  }

  default_cache_behavior {
    target_origin_id           = "client"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.optimized[each.key].id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.main[each.key].id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.routes[each.key].arn
    }
  }

  # A private bucket says of what is not there that it is forbidden. It must be missing, and no page, for scripts that a
  # newer version has replaced.
  custom_error_response {
    error_code            = 403
    response_code         = 404
    response_page_path    = "/404.html"
    error_caching_min_ttl = 10
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = local.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }

  lifecycle {
    precondition {
      condition     = local.certificate_arn != null
      error_message = "CloudFront needs hosted_zone_id, to get a certificate by, or certificate_arn, a certificate in us-east-1."
    }
  }
}

locals {
  certificate_arn = var.certificate_arn != null ? var.certificate_arn : try(aws_acm_certificate_validation.main["certificate"].certificate_arn, null)
}

resource "aws_acm_certificate" "main" {
  for_each = local.own_certificate
  region   = "us-east-1" # where CloudFront takes its certificates from

  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = local.own_certificate

  # A certificate of one name has one option.
  zone_id         = var.hosted_zone_id
  name            = tolist(aws_acm_certificate.main[each.key].domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.main[each.key].domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.main[each.key].domain_validation_options)[0].resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "main" {
  for_each = local.own_certificate
  region   = "us-east-1" # where CloudFront takes its certificates from

  certificate_arn         = aws_acm_certificate.main[each.key].arn
  validation_record_fqdns = [aws_route53_record.validation[each.key].fqdn]
}

resource "aws_route53_record" "main" {
  for_each = var.host == "cloudfront" && var.hosted_zone_id != null ? toset(["A", "AAAA"]) : toset([])

  zone_id = var.hosted_zone_id
  name    = var.domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.main["cloudfront"].domain_name
    zone_id                = aws_cloudfront_distribution.main["cloudfront"].hosted_zone_id
    evaluate_target_health = false
  }
}
