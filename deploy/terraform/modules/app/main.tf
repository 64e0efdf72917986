# The chat in a cluster: deploy/k8s with a layer on top that says what only Terraform knows, rolled out by the very script
# that people use (scripts/rollout.sh).

locals {
  root           = abspath("${path.module}/../../../..")
  overlay_folder = "${local.root}/deploy/k8s/overlays/${var.overlay}"

  # The overlay may have renamed our images already, and a layer sees what it has made of them.
  overlay = yamldecode(file("${local.overlay_folder}/kustomization.yaml"))
  renamed = { for image in try(local.overlay.images, []) : image.name => try(image.newName, image.name) }

  config = merge(local.eks_config, {
    blabber-hive = merge(try(local.eks_config.blabber-hive, {}), var.config)
  })

  # Who is signed in elsewhere is asked for there, by way out of the network that others do not have.
  components = lookup(var.config, "SUPABASE_URL", "") == "" ? [] : ["${var.k8s}/network/outside"]

  layer = yamlencode({
    apiVersion = "kustomize.config.k8s.io/v1beta1"
    kind       = "Kustomization"
    namespace  = "blabber-hive"
    labels     = [{ pairs = { "app.kubernetes.io/part-of" = "blabber-hive" } }]
    resources  = ["${var.k8s}/overlays/${var.overlay}"]
    components = local.components
    images = [for name, image in var.images : {
      name    = lookup(local.renamed, name, name)
      newName = image.repository
      newTag  = image.tag
    }]
    configMapGenerator = concat(
      [for name, literals in local.config : {
        name      = name
        namespace = "blabber-hive"
        behavior  = "merge"
        literals  = [for key, value in literals : "${key}=${value}"]
        # As the base has it: each run of a backup reads it by its plain name.
        options = { disableNameSuffixHash = name == "backup" }
      } if length(literals) > 0],
      local.on_eks ? [{
        name      = "database-ca"
        namespace = "blabber-hive"
        behavior  = "create"
        literals  = ["ca.pem=${var.eks.database_ca}"]
        options   = { disableNameSuffixHash = false }
      }] : [],
    )
    patches = local.eks_patches
  })

  # What is rolled out: the manifests, and the files that compose.yaml and they share. Passwords of a local cluster are drawn
  # while Terraform runs; who rotates one rolls out by scripts/rollout.sh.
  files = [
    for file in fileset(local.root, "deploy/{k8s,compose}/**") : file
    if length(regexall("/k8stest/|/composetest/|/secrets/|/[.]", file)) == 0
  ]
  manifests = sha256(join("\n", [for file in local.files : "${file} ${filesha256("${local.root}/${file}")}"]))
}

# Stands for the chat being there: when this goes, so does the namespace with all that is in it. A rollout replaces the
# resource below, not this one.
resource "terraform_data" "presence" {
  input = {
    SCRIPT   = "${abspath(path.module)}/app.sh"
    CLUSTER  = local.on_eks ? var.eks.cluster : ""
    REGION   = local.on_eks ? var.eks.region : ""
    CONTEXT  = var.context == null ? "" : var.context
    PATIENCE = var.patience
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "\"$SCRIPT\" down"
    environment = self.input
  }
}

resource "terraform_data" "rollout" {
  triggers_replace = [local.layer, local.manifests]

  provisioner "local-exec" {
    command     = "\"$SCRIPT\" up"
    environment = merge(terraform_data.presence.input, { LAYER = var.layer, KUSTOMIZATION = local.layer })
  }
}
