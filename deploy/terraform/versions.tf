# Nothing is made here: this folder is where `terraform test` runs, once for all modules and environments (tests/).
terraform {
  required_version = "~> 1.11"
}
