# The smaller modules: images, backups, the client elsewhere, the platform.

mock_provider "aws" {
  source = "./tests/aws"
}

mock_provider "cloudflare" {}
mock_provider "helm" {}
mock_provider "random" {}

run "images" {
  command = plan

  module {
    source = "./modules/registry"
  }

  variables {
    prefix = "hive-test"
  }

  assert {
    condition     = toset([for repository in aws_ecr_repository.main : repository.name]) == toset(["hive-test/blabber-hive", "hive-test/sentiment-analysis"])
    error_message = "There is not one repository for each image of scripts/images.sh."
  }

  assert {
    condition = alltrue([
      for repository in aws_ecr_repository.main :
      repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push &&
      repository.encryption_configuration[0].encryption_type == "KMS" && !repository.force_delete
    ])
    error_message = "A tag can mean another image tomorrow, or nobody looks for what is known of it, or it is easily gone."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.main["blabber-hive"].policy).rules[1].selection.countNumber == 30
    error_message = "Images are kept for ever, or not for a rollback."
  }
}

run "backups" {
  command = plan

  module {
    source = "./modules/backups"
  }

  variables {
    name          = "hive-test"
    versions_days = 90
    locked_days   = 30
  }

  assert {
    condition     = aws_s3_bucket_versioning.main.versioning_configuration[0].status == "Enabled" && aws_s3_bucket.main.object_lock_enabled
    error_message = "What is deleted is gone."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.main.block_public_acls, aws_s3_bucket_public_access_block.main.block_public_policy,
      aws_s3_bucket_public_access_block.main.ignore_public_acls, aws_s3_bucket_public_access_block.main.restrict_public_buckets,
    ])
    error_message = "The bucket can be opened to the world."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.main.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "The bucket is not encrypted with a key of ours."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.main.rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
    error_message = "Deleted versions are kept for another time."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.main[0].rule[0].default_retention[0].days == 30
    error_message = "Versions are not locked."
  }

  assert {
    condition     = random_password.restic.length >= 40
    error_message = "The password of the backups is short."
  }
}

run "a_lock_longer_than_versions_are_kept_is_refused" {
  command = plan

  module {
    source = "./modules/backups"
  }

  variables {
    name          = "hive-test"
    versions_days = 10
    locked_days   = 30
  }

  expect_failures = [var.locked_days]
}

run "the_client_on_cloudfront" {
  command = plan

  module {
    source = "./modules/frontend"
  }

  variables {
    name           = "hive-test"
    host           = "cloudfront"
    domain         = "chat.example.com"
    api            = "https://api.chat.example.com"
    hosted_zone_id = "Z0123456789EXAMPLE"
  }

  assert {
    condition     = length(cloudflare_pages_project.main) == 0 && aws_cloudfront_distribution.main["cloudfront"].aliases == toset(["chat.example.com"])
    error_message = "It is somewhere else."
  }

  assert {
    condition     = aws_cloudfront_origin_access_control.main["cloudfront"].signing_behavior == "always" && aws_s3_bucket_public_access_block.main["cloudfront"].restrict_public_buckets
    error_message = "The bucket is read past CloudFront."
  }

  assert {
    condition = (
      aws_cloudfront_distribution.main["cloudfront"].viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" &&
      aws_cloudfront_distribution.main["cloudfront"].default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https"
    )
    error_message = "The page comes without TLS."
  }

  # The same policy as scripts/web-static.mjs writes for other hosts.
  assert {
    condition = alltrue([
      for part in ["default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; ", "; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"] :
      strcontains(aws_cloudfront_response_headers_policy.main["cloudfront"].security_headers_config[0].content_security_policy[0].content_security_policy, part) &&
      strcontains(file("../../scripts/web-static.mjs"), part)
    ])
    error_message = "The page may do other things here than on other hosts."
  }

  assert {
    condition = strcontains(
      aws_cloudfront_response_headers_policy.main["cloudfront"].security_headers_config[0].content_security_policy[0].content_security_policy,
      "connect-src 'self' https://api.chat.example.com wss://api.chat.example.com;",
    )
    error_message = "The page cannot call its server, or others."
  }

  assert {
    condition = alltrue([
      for item in aws_cloudfront_response_headers_policy.main["cloudfront"].custom_headers_config[0].items :
      strcontains(file("../../scripts/web-static.mjs"), "${item.header}: ${item.value}")
    ])
    error_message = "A header is another one than on other hosts."
  }

  # Likewise its addresses.
  assert {
    condition = toset([for route in regexall("\"(/[a-z]+[^\"]*)\",\n", split("];", split("const routes = [", file("../../scripts/web-static.mjs"))[1])[0]) : route[0]]) == toset([
      for route in flatten(regexall("\"(/[^\"]+)\"[,\\]]", split("function", aws_cloudfront_function.routes["cloudfront"].code)[0])) : endswith(route, "/") ? "${route}*" : route
    ])
    error_message = "An address of the client has no page, or one too many has."
  }
}

run "the_client_on_pages" {
  command = plan

  module {
    source = "./modules/frontend"
  }

  variables {
    name                  = "hive-test"
    host                  = "cloudflare"
    domain                = "chat.example.com"
    api                   = "https://api.chat.example.com"
    cloudflare_account_id = "0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = length(aws_s3_bucket.main) == 0 && length(aws_cloudfront_distribution.main) == 0 && cloudflare_pages_domain.main["pages"].name == "chat.example.com"
    error_message = "It is somewhere else, too."
  }
}

run "pages_without_an_account_are_refused" {
  command = plan

  module {
    source = "./modules/frontend"
  }

  variables {
    name   = "hive-test"
    host   = "cloudflare"
    domain = "chat.example.com"
    api    = "https://api.chat.example.com"
  }

  expect_failures = [var.cloudflare_account_id]
}

run "cloudfront_without_a_certificate_is_refused" {
  command = plan

  module {
    source = "./modules/frontend"
  }

  variables {
    name   = "hive-test"
    host   = "cloudfront"
    domain = "chat.example.com"
    api    = "https://api.chat.example.com"
  }

  expect_failures = [aws_cloudfront_distribution.main]
}

run "an_api_without_tls_is_refused" {
  command = plan

  module {
    source = "./modules/frontend"
  }

  variables {
    name            = "hive-test"
    host            = "cloudfront"
    domain          = "chat.example.com"
    api             = "http://api.chat.example.com"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  }

  expect_failures = [var.api]
}

run "the_platform" {
  command = plan

  module {
    source = "./modules/platform"
  }

  variables {
    cluster_name   = "hive-test"
    region         = "eu-central-1"
    vpc_id         = "vpc-1"
    secret         = { arn = "arn:secret", kms_key_arn = "arn:key/1" }
    backups        = { bucket_arn = "arn:aws:s3:::backups", kms_key_arn = "arn:key/2" }
    hosted_zone_id = "Z0123456789EXAMPLE"
    domain         = "chat.example.com"
    adapter_values = "../k8s/autoscaling/adapter-values.yaml"
  }

  assert {
    condition = alltrue([
      for release in concat([helm_release.load_balancer, helm_release.external_secrets, helm_release.metrics_server, helm_release.prometheus_adapter, helm_release.autoscaler], values(helm_release.dns)) :
      can(regex("^[0-9]+[.][0-9]+[.][0-9]+$", release.version))
    ])
    error_message = "A chart is not of one version."
  }

  # The manifests are tested with the kinds of this version.
  assert {
    condition     = strcontains(file("../../scripts/k8s-tools.sh"), "external-secrets@v${helm_release.external_secrets.version}\n")
    error_message = "Another version of External Secrets is installed than is tested."
  }

  # Who acts on AWS is one service account each, and nobody else can be it.
  assert {
    condition = { for name, association in aws_eks_pod_identity_association.main : name => "${association.namespace}/${association.service_account}" } == {
      autoscaler    = "kube-system/cluster-autoscaler"
      backup        = "blabber-hive/backup"
      dns           = "external-dns/external-dns"
      load-balancer = "kube-system/aws-load-balancer-controller"
      secrets       = "external-secrets/external-secrets"
    }
    error_message = "Somebody else has an identity."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.main :
      jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "pods.eks.amazonaws.com" } &&
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/eks-cluster-name"] == "hive-test"
    ])
    error_message = "A role is for others than this cluster's pods."
  }

  # On everything only look, or do what says itself on what.
  assert {
    condition = alltrue(flatten([
      for name, policy in aws_iam_role_policy.main : [
        for statement in jsondecode(policy.policy).Statement : statement.Resource != "*" || contains(keys(statement), "Condition") || statement.Sid == "Look"
      ]
    ]))
    error_message = "A role may change what is not this chat's."
  }

  assert {
    condition = alltrue(flatten([
      for name, policy in aws_iam_role_policy.main : [
        for statement in jsondecode(policy.policy).Statement : [
          for action in flatten([statement.Action]) : statement.Sid != "Look" || can(regex(":(Describe|List|Get)", action))
        ]
      ]
    ]))
    error_message = "Looking changes something."
  }

  assert {
    condition     = !strcontains(join(" ", [for policy in aws_iam_role_policy.main : policy.policy]), ":*\"")
    error_message = "A role may do everything with something."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.main["backup"].policy, "DeleteObjectVersion") && jsondecode(aws_iam_role_policy.main["secrets"].policy).Statement[0].Resource == "arn:secret"
    error_message = "Whoever takes a pod over takes backups or others' secrets along."
  }

  # What the namespace of the overlay's policies and its values say.
  assert {
    condition     = helm_release.prometheus_adapter.namespace == "monitoring" && strcontains(file("../k8s/overlays/eks/network.yaml"), "kubernetes.io/metadata.name: monitoring")
    error_message = "The adapter is not let in to Prometheus."
  }
}

run "without_a_zone_nobody_writes_into_dns" {
  command = plan

  module {
    source = "./modules/platform"
  }

  variables {
    cluster_name   = "hive-test"
    region         = "eu-central-1"
    vpc_id         = "vpc-1"
    secret         = { arn = "arn:secret", kms_key_arn = "arn:key/1" }
    backups        = { bucket_arn = "arn:aws:s3:::backups", kms_key_arn = "arn:key/2" }
    domain         = "chat.example.com"
    adapter_values = "../k8s/autoscaling/adapter-values.yaml"
  }

  assert {
    condition     = length(helm_release.dns) == 0 && !contains(keys(aws_iam_role.main), "dns")
    error_message = "Somebody writes into DNS."
  }
}

run "latest_is_refused" {
  command = plan

  module {
    source = "./modules/app"
  }

  variables {
    layer   = "/nowhere"
    k8s     = ".."
    overlay = "local"
    images  = { blabber-hive = { repository = "r", tag = "latest" } }
  }

  expect_failures = [var.images]
}

run "a_password_in_a_configmap_is_refused" {
  command = plan

  module {
    source = "./modules/app"
  }

  variables {
    layer   = "/nowhere"
    k8s     = ".."
    overlay = "local"
    config  = { DATABASE_URL = "postgres://hive:secret@postgres/hive" }
  }

  expect_failures = [var.config]
}

run "eks_without_what_aws_knows_is_refused" {
  command = plan

  module {
    source = "./modules/app"
  }

  variables {
    layer   = "/nowhere"
    k8s     = ".."
    overlay = "eks"
  }

  expect_failures = [var.overlay]
}

run "one_gateway_is_refused" {
  command = plan

  module {
    source = "./modules/app"
  }

  variables {
    layer    = "/nowhere"
    k8s      = ".."
    overlay  = "local"
    replicas = { gateway = { min = 1, max = 4 } }
  }

  expect_failures = [var.replicas]
}
