# A plan for each environment, of what it is made of and how big it is.

mock_provider "aws" {
  source = "./tests/aws"
}

mock_provider "cloudflare" {}
mock_provider "helm" {}
mock_provider "kubernetes" {}
mock_provider "random" {}

mock_provider "http" {
  mock_data "http" {
    defaults = {
      status_code   = 200
      response_body = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
    }
  }
}

variables {
  region         = "eu-central-1"
  state_bucket   = "states"
  domain         = "chat.example.com"
  hosted_zone_id = "Z0123456789EXAMPLE"
  operators      = ["203.0.113.7/32"]
  image_tag      = "v1.2.3"
}

# How the states below are read.
override_data {
  target = data.terraform_remote_state.keep
  values = { outputs = { restic_password = "restic" } }
}

override_data {
  target = data.terraform_remote_state.below
  values = {
    outputs = {
      backups = {
        bucket      = "backups"
        bucket_arn  = "arn:aws:s3:::backups"
        kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
      }
      infrastructure = {
        name           = "blabber-hive-test"
        domain         = "chat.example.com"
        hosted_zone_id = "Z0123456789EXAMPLE"
        ingress        = { host = "chat.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
        vpc            = { id = "vpc-1", cidr = "10.20.0.0/16" }
        cluster        = { name = "blabber-hive-test", endpoint = "https://eks.example.com", certificate_authority = "Y2E=", architecture = "amd64" }
        secret = {
          name        = "blabber-hive/test"
          arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:1"
          kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/2"
        }
        kafka_brokers = "b-1.kafka:9096,b-2.kafka:9096,b-3.kafka:9096"
        repositories = {
          blabber-hive       = "registry.example.com/hive/blabber-hive"
          sentiment-analysis = "registry.example.com/hive/sentiment-analysis"
        }
        config = { PUBLIC_URL = "https://chat.example.com", SIGNUP = "open" }
      }
    }
  }
}

run "staging_keeps" {
  command = plan

  module {
    source = "./environments/staging/keep"
  }

  assert {
    condition     = !issensitive(keys(output.backups)) && issensitive(output.restic_password)
    error_message = "The bucket is a secret, or the password is none."
  }
}

run "production_keeps" {
  command = plan

  module {
    source = "./environments/production/keep"
  }

  assert {
    condition     = !issensitive(keys(output.backups)) && issensitive(output.restic_password)
    error_message = "The bucket is a secret, or the password is none."
  }
}

# Small, and easily gone; but what is acknowledged is on three brokers there, too.
run "staging" {
  command = plan

  module {
    source = "./environments/staging/infrastructure"
  }

  assert {
    condition     = output.infrastructure.copies == { kafka = 3, nodes = 3, postgres = 1, redis = 2, ways_out = 1 }
    error_message = "It is of another size."
  }

  assert {
    condition     = !output.infrastructure.protected && output.infrastructure.name == "blabber-hive-staging"
    error_message = "It is protected, or called otherwise."
  }

  assert {
    condition     = output.infrastructure.ingress.host == "chat.example.com" && output.infrastructure.frontend == null && output.open == "https://chat.example.com"
    error_message = "The servers are not where people look for them."
  }

  assert {
    condition     = output.infrastructure.config.PUBLIC_URL == "https://chat.example.com" && output.infrastructure.config.SIGNUP == "open"
    error_message = "Servers do not know where they are."
  }

  assert {
    condition     = output.kubeconfig == "aws eks update-kubeconfig --region eu-central-1 --name blabber-hive-staging"
    error_message = "It is not said how the cluster is reached."
  }
}

# Every part outlives the loss of a zone, and nothing goes by accident.
run "production" {
  command = plan

  module {
    source = "./environments/production/infrastructure"
  }

  assert {
    condition     = alltrue([for part, copies in output.infrastructure.copies : copies >= (part == "postgres" ? 2 : 3)])
    error_message = "A part is gone with its zone."
  }

  assert {
    condition     = output.infrastructure.protected
    error_message = "It can be taken away by one command."
  }
}

run "production_with_the_client_on_cloudfront" {
  command = plan

  module {
    source = "./environments/production/infrastructure"
  }

  variables {
    frontend = "cloudfront"
    supabase = { url = "https://id.example.com", anon_key = "public" }
  }

  assert {
    condition     = output.infrastructure.ingress.host == "api.chat.example.com" && output.infrastructure.frontend.api == "https://api.chat.example.com"
    error_message = "The servers are where the client is."
  }

  assert {
    condition     = output.infrastructure.config.PUBLIC_URL == "https://chat.example.com" && output.infrastructure.config.ALLOWED_ORIGINS == "https://api.chat.example.com"
    error_message = "Servers do not know where their client is."
  }

  assert {
    condition     = output.infrastructure.config.SUPABASE_URL == "https://id.example.com"
    error_message = "Servers do not know who signs people in."
  }
}

run "pages_without_a_token_are_refused" {
  command = plan

  module {
    source = "./environments/staging/infrastructure"
  }

  variables {
    frontend              = "cloudflare"
    cloudflare_account_id = "0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.cloudflare_api_token]
}

run "staging_workloads" {
  command = plan

  module {
    source = "./environments/staging/workloads"
  }

  assert {
    condition     = output.open == "https://chat.example.com"
    error_message = "It is elsewhere."
  }

  assert {
    condition     = toset([for image in yamldecode(output.layer).images : "${image.newName}:${image.newTag}"]) == toset(["registry.example.com/hive/blabber-hive:v1.2.3", "registry.example.com/hive/sentiment-analysis:v1.2.3"])
    error_message = "Other images are run than were pushed."
  }

  assert {
    condition = contains(flatten([
      for patch in yamldecode(output.layer).patches : [
        for operation in yamldecode(patch.patch) : "${patch.target.name}${operation.path}=${operation.value}"
      ] if patch.target.kind == "HorizontalPodAutoscaler"
    ]), "gateway/spec/maxReplicas=4")
    error_message = "Staging is scaled as production."
  }
}

run "production_workloads" {
  command = plan

  module {
    source = "./environments/production/workloads"
  }

  assert {
    condition = alltrue([
      for name, literal in { blabber-hive = "SIGNUP=open", backup = "AWS_DEFAULT_REGION=eu-central-1", kafka-exporter = "KAFKA_BROKER=b-1.kafka:9096" } :
      contains(one([for map in yamldecode(output.layer).configMapGenerator : map.literals if map.name == name]), literal)
    ])
    error_message = "A ConfigMap does not say what only Terraform knows."
  }
}

run "an_image_without_a_version_is_refused" {
  command = plan

  module {
    source = "./stacks/workloads"
  }

  variables {
    image_tag   = "latest"
    controllers = 1
    layer       = "/nowhere"
    backups     = { bucket = "b", bucket_arn = "arn", kms_key_arn = "arn" }

    infrastructure = {
      name           = "n"
      domain         = "chat.example.com"
      hosted_zone_id = null
      ingress        = { host = "h", certificate_arn = "arn" }
      vpc            = { id = "vpc-1", cidr = "10.0.0.0/16" }
      cluster        = { name = "c" }
      secret         = { name = "s", arn = "arn", kms_key_arn = "arn" }
      kafka_brokers  = "b:9096"
      repositories   = {}
      config         = {}
    }
  }

  expect_failures = [var.image_tag]
}

run "whoever_cannot_prove_the_database_is_refused" {
  command = plan

  module {
    source = "./stacks/workloads"
  }

  variables {
    image_tag   = "v1.2.3"
    controllers = 1
    layer       = "/nowhere"
    backups     = { bucket = "b", bucket_arn = "arn", kms_key_arn = "arn" }

    infrastructure = {
      name           = "n"
      domain         = "chat.example.com"
      hosted_zone_id = null
      ingress        = { host = "h", certificate_arn = "arn" }
      vpc            = { id = "vpc-1", cidr = "10.0.0.0/16" }
      cluster        = { name = "c" }
      secret         = { name = "s", arn = "arn", kms_key_arn = "arn" }
      kafka_brokers  = "b:9096"
      repositories   = {}
      config         = {}
    }
  }

  override_data {
    target = data.http.database_ca
    values = { status_code = 404, response_body = "<Error/>" }
  }

  expect_failures = [data.http.database_ca]
}

run "local" {
  command = plan

  module {
    source = "./environments/local"
  }

  override_data {
    target = data.kubernetes_server_version.cluster
    values = { version = "v1.36.0", major = "1", minor = "36" }
  }
}

run "an_old_cluster_is_refused" {
  command = plan

  module {
    source = "./environments/local"
  }

  override_data {
    target = data.kubernetes_server_version.cluster
    values = { version = "v1.26.0", major = "1", minor = "26+" }
  }

  expect_failures = [data.kubernetes_server_version.cluster]
}

run "a_domain_with_a_scheme_is_refused" {
  command = plan

  module {
    source = "./stacks/infrastructure"
  }

  variables {
    domain          = "https://chat.example.com"
    environment     = "test"
    disposable      = true
    restic_password = "restic"
    network         = { cidr = "10.20.0.0/16", nat = "one" }
    cluster         = { instance_types = ["t3.large"], nodes = { min = 1, max = 2 } }
    redis           = { node_type = "cache.t4g.small", shards = 1, replicas = 1 }
    kafka           = { instance_type = "kafka.t3.small", storage_gibibytes = 20, storage_gibibytes_max = 100 }
    postgres = {
      instance_class        = "db.t4g.medium"
      storage_gibibytes     = 20
      storage_gibibytes_max = 100
      multi_az              = false
      backup_days           = 3
    }
  }

  expect_failures = [var.domain]
}
