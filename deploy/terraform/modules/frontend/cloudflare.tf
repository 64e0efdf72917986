locals {
  on_pages = var.host == "cloudflare" ? toset(["pages"]) : toset([])
}

# The files are uploaded by wrangler (scripts/up.sh), with the `_headers` and `_redirects` that are among them.
resource "cloudflare_pages_project" "main" {
  for_each = local.on_pages

  account_id        = var.cloudflare_account_id
  name              = var.name
  production_branch = "main"
}

resource "cloudflare_pages_domain" "main" {
  for_each = local.on_pages

  account_id   = var.cloudflare_account_id
  project_name = cloudflare_pages_project.main[each.key].name
  name         = var.domain
}

resource "aws_route53_record" "pages" {
  for_each = var.host == "cloudflare" && var.hosted_zone_id != null ? toset(["CNAME"]) : toset([])

  zone_id = var.hosted_zone_id
  name    = var.domain
  type    = each.key
  ttl     = 300
  records = [cloudflare_pages_project.main["pages"].subdomain]
}
