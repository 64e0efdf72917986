# Copy this to terraform.tfvars, which never goes into the repository, and fill it in. All variables: variables.tf.

domain         = "chat.staging.example.com"
hosted_zone_id = "Z0123456789EXAMPLE" # aws route53 list-hosted-zones; without a zone take certificate_arn

# From where the cluster is operated. Yours: curl https://checkip.amazonaws.com
operators = ["203.0.113.7/32"]

# Who else may do everything in the cluster.
admins = []

# binary: the servers bring the client along. cloudfront, cloudflare: it is elsewhere, and they are at api.<domain>.
frontend = "binary"
