# No provider: what is applied here needs nothing but kubectl.
terraform {
  required_version = "~> 1.11"
}
